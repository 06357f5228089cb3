"""The command line: serve, ask, chat, purge. What only one command needs is imported when it runs."""

import asyncio
import json
import logging
import socket
import sys
from collections.abc import Iterable, Iterator
from contextlib import suppress
from datetime import date
from typing import TYPE_CHECKING, Annotated, Any, NoReturn

import typer

from bot.settings import MessageRefusedError, Settings, SettingsError, load_settings, read_clock

if TYPE_CHECKING:
    from rich.console import Console

    from bot.answering import Knowledge
    from bot.types import Answer

FAILED = 1
BAD_INPUT = 2


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
        rich_help_panel="オプション",
    ),
]
DocumentsOnly = Annotated[
    bool,
    typer.Option(
        "--documents-only",
        help="用意した質問集を使わず、取り込んだ文書だけから答えます。",
        rich_help_panel="オプション",
        show_default=False,
    ),
]

app = typer.Typer(
    name="python -m bot",
    help="総務省の支援事業についての質問に、根拠を付けて答える窓口です。",
    add_help_option=False,
    add_completion=False,
    no_args_is_help=True,
    pretty_exceptions_enable=False,
)


@app.callback()
def _about(help: Help = False) -> None:
    """総務省の支援事業についての質問に、根拠を付けて答える窓口です。"""


@app.command(help="チャットの画面とAPIを動かします。", rich_help_panel="コマンド", add_help_option=False)
def serve(
    host: Annotated[
        str, typer.Option(help="待ち受けるアドレス(既定: 設定 HOST)。", rich_help_panel="オプション")
    ] = "",
    port: Annotated[
        int | None, typer.Option(min=0, max=65535, help="ポート番号(既定: 設定 PORT)。", rich_help_panel="オプション")
    ] = None,
    help: Help = False,
) -> None:
    """Serves the page and the API until it is stopped."""
    settings = _settings()
    host = host or settings.host
    listening = _listen(host, settings.port if port is None else port)

    import uvicorn

    from bot.app import build_app
    from bot.conversations import StorageError
    from knowledge.catalog import CatalogError
    from knowledge.store import IndexMissingError

    logging.basicConfig(level=settings.log_level, format="%(asctime)s %(levelname)s %(name)s: %(message)s")
    debugging = settings.log_level == "DEBUG"
    logging.getLogger("uvicorn").setLevel(logging.DEBUG if debugging else logging.WARNING)
    try:
        application = build_app(settings)
        application.state.desk.knowledge()
        asyncio.run(application.state.desk.check_storage())
    except (CatalogError, IndexMissingError, StorageError, OSError) as error:
        _fail(str(error), FAILED)
    reached = "127.0.0.1" if host in ("0.0.0.0", "::") else f"[{host}]" if ":" in host else host
    typer.echo(f"http://{reached}:{listening.getsockname()[1]}/ で受け付けています(終了: Ctrl+C)")
    config = uvicorn.Config(application, log_config=None, access_log=debugging, server_header=False, lifespan="on")
    with suppress(KeyboardInterrupt):
        uvicorn.Server(config).run(sockets=[listening])


def _listen(host: str, port: int) -> socket.socket:
    try:
        return socket.create_server((host, port), family=socket.AF_INET6 if ":" in host else socket.AF_INET)
    except socket.gaierror:
        _fail(f"アドレス {host} が分かりません。--host か HOST に、127.0.0.1 などを指定してください。", BAD_INPUT)
    except OSError as error:
        _fail(
            f"{host} のポート {port} では受け付けられません({error.strerror})。"
            f"別のプログラムが使っていないか確かめるか、--port で別の番号を指定してください。",
            FAILED,
        )


@app.command(help="質問に1つ答えます。", rich_help_panel="コマンド", add_help_option=False)
def ask(
    question: Annotated[
        str | None, typer.Argument(metavar="質問", help="質問の文。", show_default=False, rich_help_panel="引数")
    ] = None,
    as_of: Annotated[
        str,
        typer.Option(metavar="YYYY-MM-DD", help="この日に聞かれたものとして答えます。", rich_help_panel="オプション"),
    ] = "",
    as_json: Annotated[
        bool,
        typer.Option("--json", help="答えをJSONで出します。", show_default=False, rich_help_panel="オプション"),
    ] = False,
    batch: Annotated[
        str,
        typer.Option(
            metavar="FILE.jsonl",
            help="1行に1件の質問に、1行ずつ答えます(- は標準入力)。",
            rich_help_panel="オプション",
        ),
    ] = "",
    documents_only: DocumentsOnly = False,
    help: Help = False,
) -> None:
    """Answers one question, or each line of a file."""
    settings = _settings()
    today = _day(as_of) if as_of else read_clock().date()
    if (question is None) == (not batch):
        _fail('質問か --batch のどちらかを指定してください。例: python -m bot ask "上限はいくらですか"', BAD_INPUT)
    if batch:
        lines = _lines(batch)
        for answered_line in _answer_lines(lines, _open_knowledge(settings, documents_only), settings, today):
            sys.stdout.write(json.dumps(answered_line, ensure_ascii=False) + "\n")
            sys.stdout.flush()
        return
    assert question is not None
    try:
        message = settings.read_message(question)
    except MessageRefusedError as error:
        _fail(str(error), BAD_INPUT)
    knowledge = _open_knowledge(settings, documents_only)

    from bot.answering import answer
    from bot.types import Inquiry

    answered, _ = answer(Inquiry(message, today), knowledge)
    if as_json:
        typer.echo(json.dumps(answered.as_json(), ensure_ascii=False, indent=2))
    else:
        _print(answered)


def _print(answered: "Answer") -> None:
    typer.echo(answered.text)
    for quote in dict.fromkeys(f"{citation.place}「{citation.quote}」" for citation in answered.citations):
        typer.secho(f"根拠: {quote}", dim=True)
    for choice in answered.choices:
        typer.echo(f"・{choice.label}")


def _lines(name: str) -> Iterator[bytes]:
    if name == "-":
        return iter(sys.stdin.buffer)
    try:
        return open(name, "rb")  # read to its end, line by line, until the process ends
    except OSError as error:
        _fail(f"{name} を読めません: {error.strerror}。ファイルの名前を確かめてください。", BAD_INPUT)


def _answer_lines(
    lines: Iterable[bytes], knowledge: "Knowledge", settings: Settings, today: date
) -> Iterator[dict[str, Any]]:
    """Answers each line in order; one that cannot be read, or fails, gives an answer with the status `error`."""
    from bot.answering import answer
    from bot.types import Answer, AnswerStatus, Conversation, Inquiry

    for line in lines:
        if not line.strip():
            continue
        id = ""
        try:
            content = json.loads(line.decode("utf-8-sig"))
            id = content.get("id", "") if isinstance(content, dict) else ""
            turns, day = _read_line(content)
            conversation = Conversation()
            answered = Answer("", AnswerStatus.ERROR)
            for turn in turns:
                message = settings.read_message(turn)
                answered, conversation = answer(Inquiry(message, day or today, conversation), knowledge)
        except MessageRefusedError as error:
            answered = Answer(str(error), AnswerStatus.ERROR)
        except ValueError as error:
            answered = Answer(f"この行を読み取れません: {error}", AnswerStatus.ERROR)
        except Exception:
            logging.exception("line %s could not be answered", id)
            answered = Answer("こちらの不具合で答えられませんでした。", AnswerStatus.ERROR)
        yield answered.as_json(id)


def _read_line(content: Any) -> tuple[list[str], date | None]:
    """The messages of a line, of which the last is answered, and the day of asking (None: today).

    Raises:
        ValueError: the line is wrong; the text says what to write.
    """
    if not isinstance(content, dict):
        raise ValueError('{"id": "…", "turns": ["質問"]} の形にしてください')
    turns, today = content.get("turns"), content.get("today")
    if not isinstance(turns, list) or not turns or not all(isinstance(turn, str) for turn in turns):
        raise ValueError('turns には、質問の文を ["質問"] のように並べてください')
    try:
        return turns, None if today is None else date.fromisoformat(today)
    except (TypeError, ValueError):
        raise ValueError("today は 2026-04-01 の形にするか、null にしてください") from None


@app.command(help="端末で会話します。", rich_help_panel="コマンド", add_help_option=False)
def chat(documents_only: DocumentsOnly = False, help: Help = False) -> None:
    """Talks with the person at the terminal; nothing is recorded."""
    settings = _settings()
    knowledge = _open_knowledge(settings, documents_only)

    import readline  # noqa: F401  (gives input() editing and a history)

    from rich.console import Console

    from bot.answering import answer
    from bot.types import Conversation, Inquiry

    console = Console(highlight=False)
    names = "、".join(program.short_name for program in knowledge.catalog.programs.values())
    console.print(f"\n[bold]総務省の支援事業の窓口です。[/]({names})\n対象、上限、募集時期、費用などをお尋ねください。")
    console.print("番号で選べます。/最初から でやり直し、/終了 で終わります。", style="dim")
    conversation, offered = Conversation(), list[str]()
    while (typed := _typed()) not in ("/終了", None):
        if typed == "/最初から":
            conversation, offered = Conversation(), []
            console.print("最初から始めます。ご質問をどうぞ。")
            continue
        chosen = int(typed) if typed.isascii() and typed.isdigit() else 0
        try:
            message = settings.read_message(offered[chosen - 1] if 0 < chosen <= len(offered) else typed)
        except MessageRefusedError as error:
            console.print(str(error), style="yellow")
            continue
        answered, conversation = answer(Inquiry(message, read_clock().date(), conversation), knowledge)
        offered = [choice.label for choice in answered.choices] + list(answered.suggestions)
        _show(console, answered)
    console.print("ご利用ありがとうございました。")


def _typed() -> str | None:
    """What the person typed; None at the end of input."""
    try:
        return input("\n> ").strip()
    except (EOFError, KeyboardInterrupt):
        return None


def _show(console: "Console", answered: "Answer") -> None:
    """Prints an answer: sources dimmed, then what can be chosen, numbered."""
    from rich.text import Text

    said, _, sources = answered.text.partition("\n\n出典: ")
    console.print(Text(said, style="bold" if answered.verdict else ""))
    if sources:
        console.print(Text(f"出典: {sources}", style="dim"))
    for quote in dict.fromkeys(f"{citation.place}「{citation.quote}」" for citation in answered.citations):
        console.print(Text(f"根拠: {quote}", style="dim"))
    for number, choice in enumerate(answered.choices, 1):
        console.print(Text.assemble((f"  {number} ", "bold cyan"), choice.label))
    if answered.suggestions:
        console.print("次の質問の例", style="dim")
    for number, suggestion in enumerate(answered.suggestions, len(answered.choices) + 1):
        console.print(Text.assemble((f"  {number} ", "bold cyan"), suggestion))


@app.command(
    help="保存期間(RETENTION_DAYS)を過ぎた会話の記録を消します。", rich_help_panel="コマンド", add_help_option=False
)
def purge(help: Help = False) -> None:
    """Deletes what is older than the retention."""
    settings = _settings()

    from bot.app import Desk
    from bot.conversations import StorageError

    async def deleted() -> int:
        desk = Desk(settings, read_clock)
        await desk.conversations.open()
        try:
            return await desk.purge()
        finally:
            await desk.conversations.close()

    try:
        count = asyncio.run(deleted())
    except StorageError as error:
        _fail(str(error), FAILED)
    typer.echo(f"{settings.retention_days}日を過ぎた記録を{count}件消しました。")


def _settings() -> Settings:
    try:
        return load_settings()
    except SettingsError as error:
        _fail(str(error), BAD_INPUT)


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        _fail(f"--as-of は 2026-04-01 の形で指定してください(今の値: {text})。", BAD_INPUT)


def _open_knowledge(settings: Settings, documents_only: bool) -> "Knowledge":
    from bot.answering import open_knowledge
    from knowledge.catalog import CatalogError
    from knowledge.store import IndexMissingError

    try:
        return open_knowledge(settings.data_dir, settings.embedding_model, documents_only or settings.documents_only)
    except (CatalogError, IndexMissingError, OSError) as error:
        _fail(str(error), FAILED)


def _fail(problem: str, status: int) -> NoReturn:
    typer.echo(problem, err=True)
    raise typer.Exit(status)


if __name__ == "__main__":
    app()
