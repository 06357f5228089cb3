"""A conversation at the terminal. Nothing of it is recorded."""

import readline  # noqa: F401  (gives input() editing and a history)
from collections.abc import Callable
from datetime import datetime

from rich.console import Console
from rich.text import Text

from bot import replies
from bot.answering import Knowledge, answer
from bot.settings import MessageRefusedError, Settings
from bot.types import Answer, Conversation, Inquiry

_END = "終了"

_console = Console(highlight=False, soft_wrap=True)


def converse(knowledge: Knowledge, settings: Settings, now: Callable[[], datetime]) -> None:
    """Answers what is typed until the person ends it."""
    names = "、".join(program.short_name for program in knowledge.catalog.programs.values())
    _console.print("\n[bold]総務省の支援事業の窓口です。[/]対象、上限、募集時期、費用などをお尋ねください。")
    _console.print(f"お答えする支援事業: {names}", style="dim")
    _console.print(f"番号で選べます。「最初から」でやり直し、「{_END}」か Ctrl+D で終わります。", style="dim")
    conversation, offered = Conversation(), list[str]()
    while (typed := _typed()) not in (_END, None):
        try:
            message = settings.read_message(_chosen(typed, offered))
        except MessageRefusedError as error:
            _console.print(str(error), style="yellow")
            continue
        with _console.status("調べています…"):
            answered, conversation = answer(Inquiry(message, now().date(), conversation), knowledge)
        offered = [choice.label for choice in answered.choices] + list(answered.suggestions)
        print_answer(answered)
    _console.print("ご利用ありがとうございました。")


def print_answer(answered: Answer) -> None:
    """Prints an answer, what it rests on, and what can be chosen."""
    said, _, sources = answered.text.partition(replies.SOURCES)
    _console.print(Text(said, style="bold" if answered.verdict else ""))
    if sources:
        _console.print(Text(f"{replies.SOURCES[1:]}{sources}", style="dim"))
    for quote in dict.fromkeys(f"{citation.place}「{citation.quote}」" for citation in answered.citations):
        _console.print(Text(f"根拠: {quote}", style="dim"))
    offers = [choice.label for choice in answered.choices] + list(answered.suggestions)
    for number, offer in enumerate(offers, 1):
        _console.print(Text.assemble((f"  {number} ", "bold cyan"), offer))


def _typed() -> str | None:
    """What the person typed; None at the end of input."""
    try:
        return input("\n> ").strip()
    except (EOFError, KeyboardInterrupt):
        print()
        return None


def _chosen(typed: str, offered: list[str]) -> str:
    """The offer with the number that was typed, or else the text itself: 0.8 or 3 may be an answer too."""
    number = int(typed) if typed.isascii() and typed.isdigit() else 0
    return offered[number - 1] if 0 < number <= len(offered) else typed
