"""The command line. What only one command needs is imported when it runs."""

import asyncio
import io
import json
import socket
import subprocess
import sys
from collections.abc import AsyncIterator, Coroutine
from contextlib import ExitStack, asynccontextmanager, suppress
from datetime import date, datetime, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TYPE_CHECKING, Annotated, Any, NoReturn, TypeVar

import typer

from bot.settings import MessageRefusedError, Settings, SettingsError, load_settings, read_clock
from knowledge.outside import OutsideError, reach_chroma, reach_model, why

if TYPE_CHECKING:
    from bot.answerer import Answerer
    from bot.service import Service

BAD_INPUT = 2

_Result = TypeVar("_Result")

_COMMANDS = "コマンド"
_OPTIONS = "オプション"
_ARGUMENTS = "引数"
_NO_ADDRESS = "https://(公開するホスト名)"
_SHUTDOWN_SECONDS = 20  # platforms kill a process some 30 s after they asked it to end


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
DocumentsOnly = Annotated[
    bool,
    typer.Option(
        "--documents-only",
        help="用意した質問集を使わず、取り込んだ文書だけから答えます。",
        rich_help_panel=_OPTIONS,
        show_default=False,
    ),
]

app = typer.Typer(
    name="python -m bot",
    help="総務省の支援事業についての質問に、根拠を付けて答える窓口です。",
    epilog="終了コード: 0 正常(資料に答えがない場合も)、2 使い方や設定の誤り。設定は環境変数か .env に書けます。",
    add_help_option=False,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def _about(help: Help = False) -> None:
    """総務省の支援事業についての質問に、根拠を付けて答える窓口です。"""


@app.command(rich_help_panel=_COMMANDS, add_help_option=False)
def serve(
    host: Annotated[str, typer.Option(help="待ち受けるアドレス(既定: 設定 HOST)。", rich_help_panel=_OPTIONS)] = "",
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="ポート番号(既定: 設定 PORT)。", rich_help_panel=_OPTIONS)
    ] = None,
    help: Help = False,
) -> None:
    """チャットの画面とAPIを動かします。"""
    settings = _settings()
    host = host or settings.host
    reached = "127.0.0.1" if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host
    with _listen(host, settings.port if port is None else port) as listening:
        _serve(settings, listening, f"http://{reached}:{listening.getsockname()[1]}/ で受け付けています(終了: Ctrl+C)")


def _serve(settings: Settings, listening: socket.socket, announcement: str) -> None:
    """Serves until a signal ends it; announces itself as soon as it acknowledges.

    What is answered from opens meanwhile, in the process that answers: whatever arrives until then waits, stored.
    """
    from bot.logs import log_to_stderr
    from bot.worker import AnswererProcess

    log_to_stderr(settings.log_level, settings.log_format)
    _reach_outside(settings)
    answerer = AnswererProcess(settings)

    import uvicorn

    from bot.app import build_app
    from bot.storage import StorageError
    from knowledge.catalog import CatalogError
    from knowledge.types import IndexMissingError

    async def try_database() -> None:
        await application.state.service.open()
        await application.state.service.close()

    class Server(uvicorn.Server):
        problem = ""

        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            typer.echo(announcement)
            self.opening = asyncio.create_task(self.open())

        async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
            application.state.feed.close()  # streams have no end of their own, and would hold up this one
            await super().shutdown(sockets)

        async def open(self) -> None:
            try:
                try:
                    await answerer.open()
                except IndexMissingError:
                    await asyncio.to_thread(_make_index)
                    await answerer.open()
            except (CatalogError, IndexMissingError, OutsideError, SettingsError, OSError) as error:
                self.problem, self.should_exit = str(error), True

    try:
        application = build_app(settings, answerer=answerer)
        asyncio.run(try_database())
    except (CatalogError, StorageError, SettingsError, OSError) as error:
        _fail(str(error))
    config = uvicorn.Config(
        application,
        log_config=None,
        access_log=settings.log_level == "DEBUG",
        server_header=False,
        timeout_graceful_shutdown=_SHUTDOWN_SECONDS,
    )
    server = Server(config)
    with suppress(KeyboardInterrupt):
        server.run(sockets=[listening])
    if server.problem:
        _fail(server.problem)


def _listen(host: str, port: int) -> socket.socket:
    try:
        return _bound(host, port)
    except OSError as error:
        _fail(f"{host} のポート {port} では受け付けられません({why(error)})。--host か --port を変えてください。")


def _bound(host: str, port: int) -> socket.socket:
    """A socket with its address, to which nobody can connect yet: who is refused tries again, who hangs gives up."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    listening = socket.socket(family, socket.SOCK_STREAM)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    try:
        listening.bind((host, port))
    except OSError:
        listening.close()
        raise
    return listening


@app.command(rich_help_panel=_COMMANDS, add_help_option=False)
def simulate(
    port: Annotated[int, typer.Option(min=0, max=65535, help="画面のポート番号。", rich_help_panel=_OPTIONS)] = 8001,
    help: Help = False,
) -> None:
    """LINEとSlackでの見え方を、アカウントなしでブラウザーで試します(記録は残しません)。"""
    settings = _settings()

    from bot.simulator import line, slack
    from bot.simulator.app import Simulator

    with ExitStack() as stack:
        shown_at = stack.enter_context(_listen("127.0.0.1", port))
        listening = stack.enter_context(_listen("127.0.0.1", 0))
        simulator = Simulator(f"http://127.0.0.1:{listening.getsockname()[1]}")
        url = stack.enter_context(simulator.served(shown_at))
        folder = stack.enter_context(TemporaryDirectory())
        simulated = settings.model_copy(
            update={
                "database_url": f"sqlite:///{folder}/simulated.sqlite",
                "public_url": f"http://127.0.0.1:{listening.getsockname()[1]}",
                "line_channel_secret": line.SECRET,
                "line_channel_access_token": line.TOKEN,
                "line_api_url": simulator.line.url,
                "slack_bot_token": slack.TOKEN,
                "slack_app_token": "",
                "slack_signing_secret": slack.SECRET,
                "slack_api_url": f"{simulator.slack.url}/api/",
                "slack_desk_channel": slack.DESK,
            }
        )
        if problem := _set_up_line(simulated):
            typer.echo(f"リッチメニューは表示できません。{problem}", err=True)
        _serve(simulated, listening, f"{url}/ でLINEとSlackの画面を試せます(終了: Ctrl+C)")


@app.command(rich_help_panel=_COMMANDS, add_help_option=False)
def ask(
    question: Annotated[
        str | None, typer.Argument(metavar="質問", help="質問の文。", show_default=False, rich_help_panel=_ARGUMENTS)
    ] = None,
    as_of: Annotated[
        str,
        typer.Option(metavar="YYYY-MM-DD", help="この日に聞かれたものとして答えます。", rich_help_panel=_OPTIONS),
    ] = "",
    as_json: Annotated[
        bool, typer.Option("--json", help="答えをJSONで出します。", show_default=False, rich_help_panel=_OPTIONS)
    ] = False,
    batch: Annotated[
        str,
        typer.Option(
            metavar="IN.jsonl", help="1行に1件の質問に、1行ずつ答えます(- は標準入力)。", rich_help_panel=_OPTIONS
        ),
    ] = "",
    why: Annotated[
        bool, typer.Option("--why", help="質問をどう読んだかも出します。", show_default=False, rich_help_panel=_OPTIONS)
    ] = False,
    documents_only: DocumentsOnly = False,
    help: Help = False,
) -> None:
    """質問に1つ答えます。--batch なら、ファイルの質問に順に答えます。"""
    settings = _settings()
    today = _day(as_of) if as_of else read_clock().date()
    if batch and question is None:
        _ask_batch(batch, settings, today, documents_only)
    elif question is not None and not batch:
        _ask_once(question, settings, today, documents_only, as_json=as_json, why=why)
    else:
        _fail('質問か --batch のどちらかを指定してください。例: python -m bot ask "上限はいくらですか"')


def _ask_once(
    question: str, settings: Settings, today: date, documents_only: bool, *, as_json: bool, why: bool
) -> None:
    try:
        message = settings.read_message(question)
    except MessageRefusedError as error:
        _fail(str(error))
    answerer = _open_answerer(settings, documents_only)

    from bot.channels.terminal import print_answer, print_reading
    from bot.types import Inquiry
    from knowledge.catalog import load_catalog

    answered = asyncio.run(answerer.whole(Inquiry(message, today))).answer
    if why:
        print_reading(message, today, load_catalog())
    if as_json:
        typer.echo(json.dumps(answered.as_json(), ensure_ascii=False, indent=2))
    else:
        print_answer(answered)


def _ask_batch(name: str, settings: Settings, today: date, documents_only: bool) -> None:
    try:
        lines = sys.stdin.buffer if name == "-" else open(name, "rb")  # noqa: SIM115 (closed below)
    except OSError as error:
        _fail(f"{name} を読めません({why(error)})。ファイルの名前を確かめてください。")
    with lines:
        answerer = _open_answerer(settings, documents_only)

        from bot.batch import answer_lines

        if isinstance(sys.stdout, io.TextIOWrapper):  # half a surrogate pair in an id is written as it came: \udXXX
            sys.stdout.reconfigure(encoding="utf-8", errors="backslashreplace")

        async def print_answers() -> None:
            async for answered in answer_lines(lines, answerer, settings, today):
                print(json.dumps(answered, ensure_ascii=False), flush=True)

        asyncio.run(print_answers())


@app.command(rich_help_panel=_COMMANDS, add_help_option=False)
def chat(documents_only: DocumentsOnly = False, help: Help = False) -> None:
    """端末で会話します(記録は残しません)。"""
    settings = _settings()
    answerer = _open_answerer(settings, documents_only)

    from bot.channels.terminal import converse

    converse(answerer, settings, read_clock)


@app.command(rich_help_panel=_COMMANDS, add_help_option=False)
def mcp(
    port: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=65535,
            help="このポートの /mcp で、HTTPで受け付けます(なければ標準入出力)。",
            rich_help_panel=_OPTIONS,
        ),
    ] = None,
    help: Help = False,
) -> None:
    """ほかのAIアシスタントに、規則と資料を道具として使わせます(MCP)。"""
    settings = _settings()
    try:
        from bot.channels.assistants import build_server
    except ModuleNotFoundError as error:
        _fail(f'MCPのパッケージがありません({error.name})。pip install "madoguchi[mcp]" で入れてください。')

    from bot.logs import log_to_stderr

    log_to_stderr(settings.log_level, settings.log_format)
    server = build_server(_open_answerer(settings, documents_only=False), settings, read_clock)
    if port is None:
        server.run()
        return

    import uvicorn

    class Server(uvicorn.Server):
        async def startup(self, sockets: list[socket.socket] | None = None) -> None:
            await super().startup(sockets)
            typer.echo(f"http://127.0.0.1:{listening.getsockname()[1]}/mcp で受け付けています(終了: Ctrl+C)")

    with _listen("127.0.0.1", port) as listening, suppress(KeyboardInterrupt):
        Server(uvicorn.Config(server.streamable_http_app(), log_config=None, server_header=False)).run(
            sockets=[listening]
        )


@app.command(rich_help_panel=_COMMANDS, add_help_option=False)
def purge(help: Help = False) -> None:
    """保存期間(RETENTION_DAYS)を過ぎた会話の記録を消します。"""
    settings = _settings()

    from bot.answerer import Answerer
    from bot.service import Service
    from bot.storage import StorageError

    async def deleted() -> int:
        service = Service(settings, read_clock, Answerer(settings))
        await service.open()
        try:
            return await service.purge()
        finally:
            await service.close()

    try:
        count = asyncio.run(deleted())
    except StorageError as error:
        _fail(str(error))
    typer.echo(f"{settings.retention_days}日を過ぎた記録を{count}件消しました。")


@app.command(rich_help_panel=_COMMANDS, add_help_option=False)
def deliveries(
    replay: Annotated[
        list[int] | None,
        typer.Option(metavar="番号", help="この番号のものをもう一度送ります。", rich_help_panel=_OPTIONS),
    ] = None,
    replay_all: Annotated[
        bool,
        typer.Option("--replay-all", help="すべてをもう一度送ります。", show_default=False, rich_help_panel=_OPTIONS),
    ] = False,
    help: Help = False,
) -> None:
    """届けられなかった回答を一覧にします。--replay で送り直します(動いているサーバーが送ります)。"""
    settings = _settings()

    from bot.answerer import Answerer
    from bot.delivery import Inbox, Parked
    from bot.service import Service

    async def with_inbox() -> tuple[int, int, tuple[Parked, ...]]:
        service = Service(settings, read_clock, Answerer(settings))
        await service.open()
        try:
            replayed = await _replay(service.inbox, replay or [], replay_all)
            return replayed, await service.inbox.waiting(), await service.inbox.parked()
        finally:
            await service.close()

    async def _replay(inbox: Inbox, ids: list[int], everything: bool) -> int:
        return await inbox.replay(None if everything else ids) if ids or everything else 0

    replayed, waiting, parked = _run(with_inbox())
    if replayed:
        typer.echo(f"{replayed}件を、もう一度送ります。")
    typer.echo(f"送信待ち: {waiting}件、届けられなかったもの: {len(parked)}件")
    for event in parked:
        received = datetime.fromtimestamp(event.received_at, read_clock().tzinfo)
        typer.echo(f"{event.id}  {received:%Y-%m-%d %H:%M}  {event.channel}  試行{event.attempts}回  {event.problem}")


@app.command(rich_help_panel=_COMMANDS, add_help_option=False)
def report(
    days: Annotated[
        int, typer.Option(min=1, max=3650, help="何日前からの質問を見るか。", rich_help_panel=_OPTIONS)
    ] = 7,
    as_csv: Annotated[
        bool, typer.Option("--csv", help="CSVで出します。", show_default=False, rich_help_panel=_OPTIONS)
    ] = False,
    record: Annotated[
        bool,
        typer.Option(
            "--record", help="代わりに、受付で誰が何をしたかの記録をCSVで出します。", rich_help_panel=_OPTIONS
        ),
    ] = False,
    help: Help = False,
) -> None:
    """答えられなかった質問と、役に立たないとされた回答を、意味の近いものにまとめて出します。"""
    settings = _settings()

    from bot.answerer import Answerer
    from bot.channels.terminal import print_groups
    from bot.desk.reporting import write_csv, write_record
    from bot.service import Service

    async def found() -> tuple[Any, Any]:
        service = Service(settings, read_clock, Answerer(settings))
        await service.open()
        try:
            if record:
                return (), await service.desk.cases.record() if service.desk else ()
            return await service.unanswered(read_clock() - timedelta(days=days)), ()
        finally:
            await service.close()

    from knowledge.types import IndexMissingError

    try:
        groups, entries = _run(found())
    except IndexMissingError as error:
        _fail(str(error))
    if record:
        write_record(entries, sys.stdout)
    elif as_csv:
        write_csv(groups, sys.stdout)
    else:
        print_groups(groups, days)


@app.command(rich_help_panel=_COMMANDS, add_help_option=False)
def check(
    url: Annotated[
        str,
        typer.Option(help="外から見たこのサービスのURL。あれば、そこでも質問してみます。", rich_help_panel=_OPTIONS),
    ] = "",
    help: Help = False,
) -> None:
    """LINEとSlackにつながるか、規則のとおりに答えるか、何を設定すればよいかを調べます。"""
    settings = _settings()

    from bot.answerer import Answerer
    from bot.channels.checks import check_answer, check_channels

    address = url.rstrip("/")

    async def all_work() -> bool:
        answers = check_answer(settings, Answerer(settings), read_clock().date(), address)
        works = True
        for findings in (check_channels(settings, address or _NO_ADDRESS), answers):
            async for finding in findings:
                typer.echo(f"{'○' if finding.works else '×'} {finding.text}")
                works = works and finding.works
        return works

    if not asyncio.run(all_work()):
        raise typer.Exit(1)


@app.command(rich_help_panel=_COMMANDS, add_help_option=False)
def backup(
    file: Annotated[
        Path, typer.Argument(metavar="ファイル", help="控えを書く先。", show_default=False, rich_help_panel=_ARGUMENTS)
    ],
    help: Help = False,
) -> None:
    """会話の記録、追加した文書、鍵の控えを、動かしたまま1つのファイルに取ります。"""
    settings = _settings()

    from bot.backup import BackupError, back_up

    try:
        kept = _run(back_up(settings, file, read_clock()))
    except BackupError as error:
        _fail(str(error))
    typer.echo(f"{file} に控えを取り、読み直して確かめました(記録{kept.total:,}行)。質問と鍵が入っています。")


@app.command(rich_help_panel=_COMMANDS, add_help_option=False)
def restore(
    file: Annotated[
        Path,
        typer.Argument(metavar="ファイル", help="控えのファイル。", show_default=False, rich_help_panel=_ARGUMENTS),
    ],
    help: Help = False,
) -> None:
    """控えを、空の記録先と空のデータフォルダに戻します。"""
    settings = _settings()

    from bot.backup import BackupError
    from bot.backup import restore as put_back

    try:
        kept = _run(put_back(settings, file))
    except BackupError as error:
        _fail(str(error))
    typer.echo(f"{kept.made_at} の控えを戻しました(記録{kept.total:,}行)。python -m ingest で索引を作ってください。")


@app.command("settings", rich_help_panel=_COMMANDS, add_help_option=False)
def list_settings(help: Help = False) -> None:
    """設定の一覧を、意味と既定値を添えて .env の形で出します。"""
    from bot.settings import example

    typer.echo(example())


line_app = typer.Typer(help="LINE公式アカウントの準備をします。", add_help_option=False, no_args_is_help=True)
app.add_typer(line_app, name="line", rich_help_panel=_COMMANDS)


@line_app.callback()
def _about_line(help: Help = False) -> None:
    """LINE公式アカウントの準備をします。"""


@line_app.command(rich_help_panel=_COMMANDS, add_help_option=False)
def setup(help: Help = False) -> None:
    """リッチメニューを作り、全員に表示します。"""
    settings = _settings()
    if not settings.line_channel_access_token:
        _fail("LINE_CHANNEL_SECRET と LINE_CHANNEL_ACCESS_TOKEN を設定してください。")

    if problem := _set_up_line(settings):
        _fail(problem)
    typer.echo("リッチメニューを作り、全員に表示しました。")


briefing_app = typer.Typer(help="公募説明会で質問を受け付けます。", add_help_option=False, no_args_is_help=True)
app.add_typer(briefing_app, name="briefing", rich_help_panel=_COMMANDS)

Code = Annotated[
    str, typer.Argument(metavar="番号", help="説明会の番号。", show_default=False, rich_help_panel=_ARGUMENTS)
]


@briefing_app.callback()
def _about_briefing(help: Help = False) -> None:
    """公募説明会で質問を受け付けます。"""


@briefing_app.command(rich_help_panel=_COMMANDS, add_help_option=False)
def start(
    title: Annotated[
        str, typer.Argument(metavar="名前", help="説明会の名前。", show_default=False, rich_help_panel=_ARGUMENTS)
    ],
    test: Annotated[
        bool,
        typer.Option("--test", help="練習にします。終えると消えます。", show_default=False, rich_help_panel=_OPTIONS),
    ] = False,
    url: Annotated[str, typer.Option(help="外から見たURL(既定: 設定 PUBLIC_URL)。", rich_help_panel=_OPTIONS)] = "",
    help: Help = False,
) -> None:
    """説明会を開き、番号とQRコードとリンクを出します。"""
    settings = _settings()
    name = title.strip()
    if not name:
        _fail('説明会の名前を書いてください。例: python -m bot briefing start "公募説明会 11/28"')

    async def opened() -> list[str]:
        from bot.channels.line_account import read_account_id

        line_id = await read_account_id(settings)
        async with _opened(settings) as service:
            sessions = service.briefings
            briefing = await sessions.start(name, test=test, line_id=line_id)
            return describe(briefing, sessions, base, qr=True)

    from bot.briefing.links import describe

    base = url or _public_url(settings)
    typer.echo("\n".join(_run(opened())))


@briefing_app.command(rich_help_panel=_COMMANDS, add_help_option=False)
def end(code: Code, help: Help = False) -> None:
    """質問の受付を終えます。回答とFAQシートは残り、練習なら消えます。"""
    settings = _settings()

    from bot.briefing.sessions import BriefingMissingError

    async def ended() -> str:
        async with _opened(settings) as service:
            sessions = service.briefings
            briefing = await sessions.end(code)
            return f"「{briefing.title}」を{'消しました' if briefing.test else '終えました'}。"

    try:
        typer.echo(_run(ended()))
    except BriefingMissingError:
        _no_briefing(code)


@briefing_app.command("list", rich_help_panel=_COMMANDS, add_help_option=False)
def list_briefings(
    url: Annotated[str, typer.Option(help="外から見たURL(既定: 設定 PUBLIC_URL)。", rich_help_panel=_OPTIONS)] = "",
    help: Help = False,
) -> None:
    """説明会と、そのリンクを一覧にします。"""
    settings = _settings()

    from bot.briefing.links import describe

    async def listed() -> list[str]:
        async with _opened(settings) as service:
            sessions = service.briefings
            return [line for b in await sessions.all() for line in describe(b, sessions, url or _public_url(settings))]

    typer.echo("\n".join(_run(listed())) or "説明会はありません。python -m bot briefing start で開けます。")


@briefing_app.command(rich_help_panel=_COMMANDS, add_help_option=False)
def sheet(
    code: Code,
    file: Annotated[
        Path,
        typer.Argument(
            metavar="ファイル", help="書き出す先(.docx、.xlsx、.md)。", show_default=False, rich_help_panel=_ARGUMENTS
        ),
    ],
    help: Help = False,
) -> None:
    """質問と回答のシートを書き出します。"""
    settings = _settings()

    from bot.briefing.sessions import BriefingMissingError
    from bot.briefing.sheet import FORMATS, write_sheet
    from bot.briefing.views import look

    format = file.suffix.removeprefix(".").lower()
    if format not in FORMATS:
        _fail(f"{file} の形式では書き出せません。ファイル名を .docx、.xlsx、.md のどれかで終えてください。")

    async def written() -> bytes:
        async with _opened(settings) as service:
            seen = await look(service.briefings, await service.briefings.find(code))
            return await write_sheet(seen, format, service.unheld_figures, service.programs)

    try:
        file.write_bytes(_run(written()))
    except BriefingMissingError:
        _no_briefing(code)
    except OSError as error:
        _fail(f"{file} に書き出せません({why(error)})。")
    typer.echo(f"{file} に書き出しました。")


@asynccontextmanager
async def _opened(settings: Settings) -> AsyncIterator["Service"]:
    """The service, with what is on record."""
    from bot.answerer import Answerer
    from bot.service import Service

    service = Service(settings, read_clock, Answerer(settings))
    await service.open()
    try:
        yield service
    finally:
        await service.close()


def _public_url(settings: Settings) -> str:
    return settings.public_url or f"http://{settings.host}:{settings.port}"


def _no_briefing(code: str) -> NoReturn:
    _fail(f"番号 {code} の説明会はありません。python -m bot briefing list で確かめてください。")


def _set_up_line(settings: Settings) -> str:
    """Makes the rich menu and shows it to everyone; returns what is in the way of that."""
    from linebot.v3.messaging import ApiException, AsyncMessagingApiBlob

    from bot.channels import line, line_menu
    from bot.desk.desk import is_staffed, staff_label
    from knowledge.catalog import CatalogError, load_catalog

    async def put_in_place() -> None:
        async with line.connected(settings.line_channel_access_token, settings.line_api_url) as api:
            blobs = AsyncMessagingApiBlob(api.api_client)
            programs = load_catalog().programs
            label = staff_label(is_staffed(settings, programs))
            await line_menu.put_in_place(api, blobs, programs.values(), label)

    try:
        asyncio.run(put_in_place())
    except (CatalogError, line_menu.FontMissingError) as error:
        return str(error)
    except ApiException as error:
        return f"LINEに断られました(応答 {error.status}): {line.reason(error)}"
    except OSError as error:
        return f"LINEに接続できません({type(error).__name__})。"
    return ""


def _run(work: Coroutine[Any, Any, _Result]) -> _Result:
    """Runs work on the database; what is wrong with that is told and ends the command."""
    from bot.storage import StorageError

    try:
        return asyncio.run(work)
    except StorageError as error:
        _fail(str(error))


def _settings() -> Settings:
    try:
        return load_settings()
    except SettingsError as error:
        _fail(str(error))


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        _fail(f"--as-of は 2026-04-01 の形で指定してください(今の値: {text})。")


def _open_answerer(settings: Settings, documents_only: bool) -> "Answerer":
    from bot.answerer import Answerer
    from knowledge.catalog import CatalogError
    from knowledge.types import IndexMissingError

    _reach_outside(settings)
    only = documents_only or settings.documents_only
    answerer = Answerer(settings.model_copy(update={"documents_only": only}))
    try:
        try:
            asyncio.run(answerer.open())
        except IndexMissingError:
            _make_index()
            asyncio.run(answerer.open())
    except (CatalogError, IndexMissingError, OutsideError, SettingsError, OSError) as error:
        _fail(str(error))
    return answerer


def _reach_outside(settings: Settings) -> None:
    """Makes sure of what lies outside, and has there what other hosts have ingested, where hosts share that."""
    try:
        reach_chroma(settings.chroma_url)
        reach_model("EMBEDDING_MODEL", settings.embedding_model)
        reach_model("RERANKER_MODEL", settings.reranker_model)
    except OutsideError as error:
        _fail(str(error))
    if not settings.chroma_url:
        return
    from knowledge.sharing import open_shelf

    if shelf := open_shelf(settings.database_url, settings.chroma_url, settings.data_dir):
        try:
            asyncio.run(shelf.fetch())
        except OSError as error:
            _fail(f"ほかのホストと共有する索引を取り込めません({error})。DATABASE_URL を確かめてください。")


def _make_index() -> None:
    """What a person would be told to do where there is no index yet; where it fails, ingest says why."""
    typer.echo("索引を作っています(初回は数秒かかります)…", err=True)
    subprocess.run([sys.executable, "-m", "ingest"], stdout=subprocess.DEVNULL, check=False)


def _fail(problem: str) -> NoReturn:
    typer.echo(problem, err=True)
    raise typer.Exit(BAD_INPUT)


if __name__ == "__main__":
    app()
