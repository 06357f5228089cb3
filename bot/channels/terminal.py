"""A conversation at the terminal. Nothing of it is recorded."""

import asyncio
import readline  # noqa: F401  (gives input() editing and a history)
from collections.abc import Callable, Sequence
from datetime import date, datetime
from typing import TYPE_CHECKING

from rich import box
from rich.console import Console
from rich.table import Table
from rich.text import Text

from bot import replies
from bot.answerer import Answerer
from bot.settings import MessageRefusedError, Settings
from bot.types import Answer, Conversation, Inquiry, Stance, When, Whose
from bot.understanding import understand
from bot.understanding.message import read_message
from knowledge.catalog import Catalog, load_catalog
from knowledge.rules.tables import fact_words
from knowledge.types import Fact

if TYPE_CHECKING:
    from bot.desk.reporting import Group

_END = "終了"
_QUESTIONS_SHOWN = 3

_console = Console(highlight=False, soft_wrap=True)


def converse(answerer: Answerer, settings: Settings, now: Callable[[], datetime]) -> None:
    """Answers what is typed until the person ends it."""
    with asyncio.Runner() as runner:
        _converse(answerer, settings, now, runner)


def _converse(answerer: Answerer, settings: Settings, now: Callable[[], datetime], runner: asyncio.Runner) -> None:
    names = "、".join(program.short_name for program in load_catalog().programs.values())
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
        with _console.status("読み取っています…"):
            stage = runner.run(answerer.whole(Inquiry(message, now().date(), conversation)))
        answered, conversation = stage.answer, stage.conversation
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


def print_groups(groups: "Sequence[Group]", days: int) -> None:
    """Prints what was not answered as a table, the newest week first."""
    if not groups:
        _console.print(f"この{days}日間に、答えられなかった質問や、役に立たないとされた回答はありません。")
        return
    table = Table("週", "事業", "経路", "件数", "役に立たない", "質問", "メモ", box=box.SIMPLE)
    for group in groups:
        counts = (str(group.count), str(group.unhelpful))
        questions, notes = "\n".join(group.questions[:_QUESTIONS_SHOWN]), "\n".join(group.notes)
        texts = (f"{group.week:%m-%d}", group.program, group.channel, *counts, questions, notes)
        table.add_row(*map(Text, texts))
    _console.print(table)


_OF_WHOM = {
    Whose.WRITER: "申請する団体",
    Whose.ANOTHER: "他の団体",
    Whose.MEMBER: "構成団体",
    Whose.PLACE: "取り組む場所",
}
_OF_WHEN = {When.NOW: "現在", When.BEFORE: "以前", When.LATER: "今後"}
_HOW = {
    Stance.SAID: "",
    Stance.QUOTED: "伝聞・規則の引用",
    Stance.CONTRASTED: "言い直し前",
}


def print_reading(message: str, today: date, catalog: Catalog) -> None:
    """Prints how a message is read: its clauses, and each reading with its words, of whom and when it is said."""
    read = read_message(message, today)
    understanding = understand(Inquiry(message, today), catalog)
    _console.print(Text("読み取り", style="bold"))
    for clause in read.clauses:
        asks = "(問い)" if clause.number in read.asking else ""
        _console.print(
            Text(f"  文節 {clause.number + 1}: {read.text[clause.start : clause.end].strip()}{asks}", style="dim")
        )
    used = {fact.slot for fact in understanding.understood if fact.text}
    for reading in understanding.readings:
        question = catalog.facts[Fact(reading.slot)]
        words = fact_words(question, reading.value) if reading.value != "unknown" else "分からない"
        told = "、".join(filter(None, (_OF_WHOM[reading.whose], _OF_WHEN[reading.when], _HOW.get(reading.stance, ""))))
        kept = "採用" if reading.whose is Whose.WRITER and reading.slot in used else "不採用"
        said = read.text[reading.start : reading.end].strip()
        _console.print(Text(f"  {question.label}: {words} ←「{said}」({told}){kept}", style="dim"))
    for body in understanding.towns:
        index = body.published
        told = f"(財政力指数の公表値 {index.value}、{index.year}年度)" if index else ""
        _console.print(Text(f"  団体名: {body.full_name}{told}", style="dim"))
    subjects = "、".join(understanding.subjects) or "なし"
    programs = "、".join(catalog.programs[id].short_name for id in understanding.programs) or "未定"
    _console.print(Text(f"  事業: {programs} / 問い: {subjects}", style="dim"))


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
