"""The command line: builds the index from the repository's documents and those added, and audits the rules."""

import asyncio
import sqlite3
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated, NoReturn
from unicodedata import normalize
from zoneinfo import ZoneInfo

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from ingest.auditing import Audit, Finding
from ingest.characters import FORMATS
from ingest.documents import Added, Documents, ListDamagedError, ReadDocument
from ingest.drafting import DraftedYear, accept, draft_years
from ingest.extracting import SUFFIXES, suffix_of
from ingest.fetching import Fetcher, id_of
from ingest.settings import IngestSettings
from ingest.types import ReadError
from ingest.watching import look
from knowledge.catalog import Catalog, CatalogError, load_catalog
from knowledge.conflicts import load_conflicts
from knowledge.outside import OutsideError, check_model, reach_chroma, why
from knowledge.types import Subject
from knowledge.watching import Change, load_watch

FAILED = 1
BAD_INPUT = 2

_STDIN = "-"
_SHOWN_CONFLICTS = 10  # of a run that only builds the index; `audit` shows all
_SHOWN_CHANGES = 20
_SHOWN_PLACES = 5  # of what could not be read in a document
_QUIET = 5.0  # seconds between two lines of progress where there is no terminal

_OPTIONS = "オプション"
_ARGUMENTS = "引数"


def _show_help(context: typer.Context, wanted: bool) -> None:
    if wanted:
        typer.echo(context.get_help())
        raise typer.Exit


Help = Annotated[
    bool,
    typer.Option(
        "--help",
        is_eager=True,
        expose_value=False,
        callback=_show_help,
        help="この説明を表示します。",
        rich_help_panel=_OPTIONS,
    ),
]

app = typer.Typer(
    name="python -m ingest",
    help="制度の解説と追加した文書から、検索用の索引を作ります(2回目からは変わった分だけ)。",
    epilog="終了コード: 0 正常、1 取り込めない文書や監査の指摘がある、2 使い方の誤り、または設定や置き場所が使えない。"
    " 置き場所は DATA_DIR、埋め込みモデルは EMBEDDING_MODEL で変えられます。",
    add_help_option=False,
    add_completion=False,
    invoke_without_command=True,
    pretty_exceptions_enable=False,
)
out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


@dataclass(frozen=True)
class _Source:
    """A file to be added, and the id that it will have; `folder` is the one that was given, if any."""

    file: Path
    id: str
    folder: Path | None = None
    url: str = ""

    @property
    def leads_out(self) -> bool:
        """Whether it is a link to a file outside its folder."""
        return self.folder is not None and not self.file.resolve().is_relative_to(self.folder)


@app.callback()
def build(context: typer.Context, help: Help = False) -> None:
    """制度の解説と追加した文書から、検索用の索引を作ります(2回目からは変わった分だけ)。"""
    if context.invoked_subcommand is None:
        settings = IngestSettings()
        with _failures(), _shared(settings):
            documents = Documents(settings.data_dir)
            with documents.changing():
                status = _index(settings, load_catalog(), documents)
        raise typer.Exit(status)


@app.command("add", rich_help_panel="コマンド", add_help_option=False)
def add(
    paths: Annotated[
        list[str],
        typer.Argument(
            metavar="FILE|FOLDER|URL|-",
            help=f"文書({FORMATS})、フォルダー、URL、または - (標準入力)。いくつでも並べられます。",
            rich_help_panel=_ARGUMENTS,
            show_default=False,
        ),
    ],
    name: Annotated[
        str,
        typer.Option(
            "--name",
            help="文書のID(一覧に出る名前)。1件だけ追加するときに使えます。",
            rich_help_panel=_OPTIONS,
            show_default=False,
        ),
    ] = "",
    help: Help = False,
) -> None:
    """文書を追加し、すぐに索引へ入れます。同じIDの文書は置き換えます。"""
    settings = IngestSettings()
    with _failures(), TemporaryDirectory() as folder, _shared(settings):
        sources, problems = _sources(paths, name, Path(folder), Fetcher(settings.watch_local))
        documents = Documents(settings.data_dir)
        readings = list(_read(sources, documents, Path(folder), problems))
        with documents.changing():
            for reading in readings:
                before = documents.added.get(reading.added.id)
                try:
                    added = documents.put(reading)
                except ReadError as error:
                    problems.append((reading.added.id, error))
                    continue
                done = "追加しました" if before is None else "置き換えました" if before != added else "変わっていません"
                out.print(f"{done}: {added.id} 「{added.title}」", markup=False, emoji=False)
                _print_unread(added)
            _print_problems("取り込めませんでした", problems)
            status = _index(settings, load_catalog(), documents)
    raise typer.Exit(FAILED if problems else status)


@app.command("remove", rich_help_panel="コマンド", add_help_option=False)
def remove(
    ids: Annotated[
        list[str],
        typer.Argument(
            metavar="ID", help="文書のID(list で確かめられます)。", rich_help_panel=_ARGUMENTS, show_default=False
        ),
    ],
    help: Help = False,
) -> None:
    """追加した文書を取り除き、索引からも消します。"""
    settings = IngestSettings()
    wanted = list(dict.fromkeys(normalize("NFKC", id) for id in ids))
    with _failures(), _shared(settings):
        documents = Documents(settings.data_dir)
        with documents.changing():
            if unknown := [id for id in wanted if id not in documents.added]:
                known = "、".join(documents.added) or "なし"
                _refuse(
                    f"追加された文書にありません: {'、'.join(unknown)}",
                    f"IDは list で確かめられます(今ある文書: {known})",
                )
            for id in wanted:
                documents.remove(id)
                out.print(f"取り除きました: {id}", markup=False)
            status = _index(settings, load_catalog(), documents)
    raise typer.Exit(status)


@app.command("list", rich_help_panel="コマンド", add_help_option=False)
def list_documents(help: Help = False) -> None:
    """文書の一覧を表示します。"""
    with _failures():
        _fetch_shared(IngestSettings())
        table = Table("ID", "題名", "種類", box=None, pad_edge=False)
        for program in load_catalog().programs.values():
            table.add_row(program.id, program.name, "同梱の解説")
        for added in Documents(IngestSettings().data_dir).added.values():
            table.add_row(escape(added.id), escape(added.title), f"追加した文書({Path(added.file).suffix[1:]})")
        out.print(table)
        changes = load_watch(IngestSettings().data_dir).changes
        if changes:
            out.print(f"\n[bold]見守っているページで変わった数値[/](新しい順に{_SHOWN_CHANGES}件まで)")
            _print_changes(changes[: -_SHOWN_CHANGES - 1 : -1])


@app.command("audit", rich_help_panel="コマンド", add_help_option=False)
def audit(
    everything: Annotated[
        bool,
        typer.Option(
            "--all", help="確認できた解説の根拠も1行ずつ表示します。", rich_help_panel=_OPTIONS, show_default=False
        ),
    ] = False,
    help: Help = False,
) -> None:
    """規則と解説の根拠を、追加した文書で確かめます。

    見つからない根拠や、文書との不一致があれば、終了コードは1です。追加した文書がない制度は「未確認」とし、0で終わります。
    """
    with _failures():
        from ingest.indexing import audit as audit_documents

        _fetch_shared(IngestSettings())
        catalog = load_catalog()
        found, unreadable = audit_documents(catalog, Documents(IngestSettings().data_dir))
        _print_findings(found, catalog, everything)
        _print_problems("読めませんでした", unreadable.items())
        raise typer.Exit(FAILED if unreadable or not found.is_sound else 0)


@app.command("watch", rich_help_panel="コマンド", add_help_option=False)
def watch(help: Help = False) -> None:
    """制度のページと、URLで追加した文書を1回見に行きます。

    変わっていれば取り込み直し、変わった数値を知らせます。サーバーは WATCH_HOURS ごとにこれを行います。
    """
    settings = IngestSettings()
    with _failures(), _shared(settings):
        catalog, documents = load_catalog(), Documents(settings.data_dir)
        seen = look(settings.data_dir, catalog, documents, Fetcher(settings.watch_local), _now())
        _print_problems("見に行けませんでした", seen.problems)
        _print_changes(seen.changes)
        status = 0
        if seen.renewed:
            with documents.changing():
                status = _index(settings, catalog, documents)
    raise typer.Exit(FAILED if seen.problems else status)


@app.command("draft", rich_help_panel="コマンド", add_help_option=False)
def draft(
    program: Annotated[
        str,
        typer.Argument(
            metavar="[PROGRAM]", help="制度のID。省くとすべて。", rich_help_panel=_ARGUMENTS, show_default=False
        ),
    ] = "",
    year: Annotated[
        int, typer.Option("--year", help="年度(西暦)。省くと今の年度。", rich_help_panel=_OPTIONS, show_default=False)
    ] = 0,
    accepted: Annotated[
        bool,
        typer.Option(
            "--accept",
            help="下書きを、その年度のファイルとして採用します。",
            rich_help_panel=_OPTIONS,
            show_default=False,
        ),
    ] = False,
    help: Help = False,
) -> None:
    """文書の数値が規則と違うとき、年度のファイルの下書きを作ります。

    表示するだけです。職員が確かめて --accept を付けると、その年度のファイルになり、動いているサーバーにも反映されます。
    """
    settings = IngestSettings()
    with _failures():
        catalog = load_catalog()
        if program and program not in catalog.programs:
            _refuse(f"制度にありません: {program}", f"{'、'.join(catalog.programs)} のどれかを指定してください")
        day = _now()
        fiscal_year = year or day.year - (day.month < 4)  # from April
        drafts = list(draft_years(catalog, load_conflicts(settings.data_dir), fiscal_year))
        drafts = [draft for draft in drafts if program in ("", draft.program)]
        if not drafts:
            out.print("規則と違う数値は、文書に見つかっていません。")
        problems = [(draft.program, problem) for draft in drafts if (problem := _print_draft(draft, accepted))]
        _print_problems("採用できませんでした", problems)
        status = 0
        if accepted and len(problems) < len(drafts):
            documents = Documents(settings.data_dir)
            with documents.changing():
                status = _index(settings, load_catalog(), documents)
    raise typer.Exit(FAILED if problems else status)


def _print_draft(draft: DraftedYear, accepted: bool) -> ReadError | None:
    """Shows a draft, and makes it the year's file where it is accepted; what is in the way of that."""
    name = f"knowledge/programs/{draft.program}/fy{draft.fiscal_year}.yaml"
    out.print(f"# {name} の下書き", markup=False, emoji=False)
    for before, after, sentence in draft.changes:
        out.print(f"# {before} → {after}(文書: 「{sentence}」)", markup=False, emoji=False)
    for sentence in draft.open:
        out.print(f"# 手で確かめてください: 「{sentence}」", markup=False, emoji=False)
    if draft.changes:
        out.print(draft.text, markup=False, emoji=False)
    if not accepted:
        return None
    try:
        accept(draft)
    except ReadError as error:
        return error
    out.print(f"採用しました: {name}", markup=False)
    return None


def _now() -> datetime:
    return datetime.now(ZoneInfo("Asia/Tokyo"))


def _print_changes(changes: Iterable[Change]) -> None:
    for change in changes:
        out.print(
            f"変わりました: {change.document} {change.place}\n  前: {change.before}(「{change.old_sentence}」)"
            f"\n  今: {change.after}(「{change.new_sentence}」)",
            markup=False,
            emoji=False,
        )


def _index(settings: IngestSettings, catalog: Catalog, documents: Documents) -> int:
    """Updates the index and prints what changed; the exit status."""
    from ingest.indexing import index
    from knowledge.encoder.encoding import load_encoder
    from knowledge.store import newest_encoder

    check_model("EMBEDDING_MODEL", settings.embedding_model)
    encoder = load_encoder(settings.embedding_model)
    if newest_encoder(settings.data_dir) not in ("", encoder.name):
        out.print("埋め込みモデルが変わったので、索引を作り直します。できるまでは今の索引で答えます。")
    with _progress() as progress:
        report = index(settings.data_dir, catalog, documents, encoder, progress, settings.chroma_url)
    changes = report.changes
    out.print(
        f"新規 {changes.created} / 更新 {changes.updated} / 削除 {changes.deleted} / 変更なし {changes.unchanged}"
    )
    if not changes.created + changes.updated + changes.deleted:
        out.print("変更はありません。")
    _print_problems("読めませんでした", report.unreadable.items())
    _print_conflicts(report.audit, catalog, _SHOWN_CONFLICTS)
    return FAILED if report.unreadable else 0


@contextmanager
def _progress() -> Iterator[Callable[[int], None]]:
    """Shows how many chunks have been read: in place on a terminal, as a line now and then elsewhere."""
    shown_at = time.monotonic()
    with err.status("索引を作っています") as status:

        def show(count: int) -> None:
            nonlocal shown_at
            if err.is_terminal:
                status.update(f"索引を作っています({count}件)")
            elif time.monotonic() - shown_at >= _QUIET:
                shown_at = time.monotonic()
                err.print(f"索引を作っています({count}件)")

        yield show


def _sources(
    paths: list[str], name: str, folder: Path, fetcher: Fetcher
) -> tuple[list[_Source], list[tuple[str, ReadError]]]:
    """The files that the arguments stand for, in order, and those that cannot be taken."""
    name = normalize("NFKC", name).strip()
    if name and (len(paths) != 1 or Path(paths[0]).is_dir()):
        _refuse("--name は1件だけ追加するときに使えます", "ファイルを1つ指定してください")
    if paths.count(_STDIN) > 1:
        _refuse("標準入力(-)は1回だけ指定できます", "- を1つにしてください")
    sources: dict[str, _Source] = {}
    problems: list[tuple[str, ReadError]] = []
    for path in paths:
        if path.startswith(("http://", "https://")):
            try:
                source = _fetched(path, name, folder / f"fetched-{len(sources)}", fetcher)
            except ReadError as error:
                problems.append((path, error))
                continue
            sources[source.id] = source
            continue
        found = list(_files_of(path, name, folder))
        if not found:
            nothing = ReadError("フォルダーに文書がありません", "文書の入ったフォルダーを指定してください")
            problems.append((path, nothing))
        for source in found:
            if source.leads_out:
                beyond = ReadError("フォルダーの外へのリンクです", "必要なら、リンク先のファイルを直接指定してください")
                problems.append((source.id, beyond))
                continue
            known = sources.setdefault(source.id, source)
            if known.file.resolve() != source.file.resolve():
                clash = ReadError(
                    f"同じ名前の文書({source.id})が重なっています", "--name で別の名前を付けて追加してください"
                )
                problems.append((str(source.file), clash))
    return list(sources.values()), problems


def _read(
    sources: Iterable[_Source], documents: Documents, folder: Path, problems: list[tuple[str, ReadError]]
) -> Iterator[ReadDocument]:
    """Reads the files, while others may change the list; those that cannot be read go to `problems`."""
    for number, source in enumerate(sources):
        own = folder / f"read-{number}"
        own.mkdir()
        try:
            with err.status(f"{escape(source.id)} を読んでいます"):
                yield documents.read(source.file, source.id, source.url, own)
        except ReadError as error:
            problems.append((source.id, error))


def _fetched(url: str, name: str, file: Path, fetcher: Fetcher) -> _Source:
    with err.status(f"{escape(url)} を取得しています"):
        fetched = fetcher.fetch(url)
    assert fetched is not None  # nothing was said of what is there already
    file = file.with_suffix(fetched.suffix)
    file.write_bytes(fetched.content)
    return _Source(file, name or id_of(url), url=url)


def _files_of(path: str, name: str, folder: Path) -> Iterator[_Source]:
    if path == _STDIN:
        content = sys.stdin.buffer.read()
        suffix = Path(name).suffix.lower()
        file = folder / f"stdin{suffix if suffix in SUFFIXES else suffix_of(content)}"
        file.write_bytes(content)
        yield _Source(file, name or file.name)
    elif Path(path).is_dir():
        for file in filter(Path.is_file, sorted(Path(path).rglob("*"))):
            within = file.relative_to(path)
            if not any(part.startswith((".", "~$")) for part in within.parts):
                yield _Source(file, normalize("NFKC", within.as_posix()), Path(path).resolve())
    else:
        yield _Source(Path(path), name or normalize("NFKC", Path(path).name))


def _fetch_shared(settings: IngestSettings) -> None:
    """Has there what other hosts have ingested, where hosts share that."""
    from knowledge.sharing import open_shelf

    if shelf := open_shelf(settings.database_url, settings.chroma_url, settings.data_dir):
        asyncio.run(shelf.fetch())


@contextmanager
def _shared(settings: IngestSettings) -> Iterator[None]:
    """Where hosts share what is written, the block is the only run among them, on what all have."""
    from knowledge.sharing import open_shelf

    reach_chroma(settings.chroma_url)
    shelf = open_shelf(settings.database_url, settings.chroma_url, settings.data_dir)
    with shelf.changing() if shelf else nullcontext():
        yield


@contextmanager
def _failures() -> Iterator[None]:
    """Turns what can go wrong outside the program into a sentence and an exit status."""
    from knowledge.store import IndexBusyError, IndexUnwritableError

    try:
        yield
    except CatalogError as error:
        err.print(
            f"制度のファイルに誤りがあります: {error.file}\n"
            f"  箇所: {error.key}\n  理由: {error.problem}\n  対処: {error.remedy}",
            markup=False,
        )
        raise typer.Exit(BAD_INPUT) from None
    except OutsideError as error:
        err.print(str(error), markup=False)
        raise typer.Exit(BAD_INPUT) from None
    except (IndexUnwritableError, sqlite3.Error, OSError) as error:
        problem = (
            f"読み書きできません: {error.filename or ''}({why(error)})" if isinstance(error, OSError) else str(error)
        )
        _refuse(problem, "DATA_DIR の場所と書き込みの権限、空き容量を確かめてください")
    except ListDamagedError as error:
        _refuse(str(error), "このファイルを消し、文書をもう一度 add してください")
    except IndexBusyError as error:
        _refuse(str(error), "実行中の取り込みが終わるのを待ってください")


def _print_unread(added: Added) -> None:
    """What of a document could not be read: about how much, and what with the places."""
    if added.unread:
        share = max(1, round(100 * added.unread_share))
        out.print(f"  この文書のおよそ{share}%は読み取れていません。", markup=False, emoji=False)
    places: dict[str, list[str]] = {}
    for what, place in added.unread:
        places.setdefault(what, []).append(place)
    for what, at in places.items():
        more = f" ほか{len(at) - _SHOWN_PLACES}か所" if len(at) > _SHOWN_PLACES else ""
        out.print(f"  読み取れていません: {what}({'、'.join(at[:_SHOWN_PLACES])}{more})", markup=False, emoji=False)


def _print_problems(what: str, problems: Iterable[tuple[str, ReadError]]) -> None:
    for id, problem in problems:
        err.print(f"{what}: {id}\n  理由: {problem.reason}\n  対処: {problem.remedy}", markup=False)


def _refuse(problem: str, remedy: str) -> NoReturn:
    err.print(f"{problem}。\n  対処: {remedy}", markup=False)
    raise typer.Exit(BAD_INPUT)


_STATUS = {"confirmed": "確認", "missing": "[red]見つからない[/]", "unchecked": "[dim]未確認[/]"}


def _print_findings(found: Audit, catalog: Catalog, everything: bool) -> None:
    """A program at a time: the counts, then a line for each phrase that a rule rests on or that is missing."""
    for program in catalog.programs.values():
        findings = [finding for finding in found.findings if finding.program == program.id]
        counts = Counter(finding.status for finding in findings)
        out.print(
            f"\n[bold]{program.name}[/]: 根拠 {len(findings)} 件のうち"
            f" 確認 {counts['confirmed']} / 見つからない {counts['missing']} / 未確認 {counts['unchecked']}"
        )
        if counts["unchecked"]:
            what = (
                "の文書が追加されていないため、"
                if not counts["confirmed"]
                else "のページ全体が追加されていないため、残りは"
            )
            out.print(f"  {program.name}{what}確かめられません。add で追加してください({program.document.url})。")
        for finding in findings:
            if finding.status == "unchecked" and not everything:
                continue
            if everything or finding.rests == "rule" or finding.status != "confirmed":
                where = f"{finding.document}: {finding.found}" if finding.document else f"資料での場所: {finding.place}"
                line = f"{_subject(finding, catalog)}: 「{finding.phrase}」({where})"
                out.print(f"  {_STATUS[finding.status]}  {escape(line)}")
    _print_conflicts(found, catalog, len(found.conflicts))


def _subject(finding: Finding, catalog: Catalog) -> str:
    if finding.rests == "guide":
        return f"解説「{finding.subject}」"
    return _described(finding.program, finding.subject, catalog)


def _described(program: str, subject: str, catalog: Catalog) -> str:
    """A parameter by its description, a guide's section by its heading."""
    if subject not in set(Subject):
        return f"解説「{subject}」"
    years = reversed(catalog.programs[program].years)
    return next(year.parameters[Subject(subject)].description for year in years if Subject(subject) in year.parameters)


def _print_conflicts(found: Audit, catalog: Catalog, limit: int) -> None:
    conflicts = [conflict for conflict in found.conflicts if conflict.document_says]
    gone = len(found.conflicts) - len(conflicts)
    if gone:
        out.print(f"\n[bold red]新しい版の文書で確認できない根拠が {gone} 件あります。[/]audit で確かめてください。")
    if not conflicts:
        return
    out.print(f"\n[bold red]文書と規則の不一致が {len(conflicts)} 件あります。[/]どちらが正しいか確かめてください。")
    for conflict in conflicts[:limit]:
        name = catalog.programs[conflict.program].name
        out.print(f"・{name} {_described(conflict.program, conflict.subject, catalog)}", markup=False)
        out.print(f"    規則: {conflict.rule_says}", markup=False)
        out.print(f"    文書: {conflict.document_says}({conflict.document}: {conflict.place})", markup=False)
    if len(conflicts) > limit:
        out.print(f"  ほか {len(conflicts) - limit} 件は audit で確かめられます。")


if __name__ == "__main__":
    app()
