"""Puts a message that only tells more of a case together with what was told of it before, as one message."""

from collections.abc import Sequence
from dataclasses import replace

from bot.types import Conversation, Inquiry, Understanding, Understood
from bot.understanding.message import read_message
from bot.understanding.supposing import ends_on_a_case
from knowledge.types import Fact

_LONGEST = 300
"""Characters up to which messages are put together."""

_MARKS = ("。", "?", "？", "!", "！", "\n")


def goes_on_telling(inquiry: Inquiry, understood: Understanding) -> bool:
    """Whether a message tells more of the case before it: it asks of nothing else, and puts nothing in its place."""
    before = inquiry.conversation
    message = read_message(inquiry.text, inquiry.as_of)
    if not before.told or "goes_on" in understood.signs or message.says("correct") or ends_on_a_case(message):
        return False
    if understood.named and understood.programs != (before.program,):
        return False
    return not message.asking or understood.continues


def put_together(inquiry: Inquiry, understood: Understanding) -> Inquiry | None:
    """The case that a message tells more of, as if it were put in one message; None where it tells of none."""
    before = inquiry.conversation
    if not goes_on_telling(inquiry, understood):
        return None
    mark = "" if before.told.endswith(_MARKS) else "。"
    text = f"{before.told}{mark}{inquiry.text}"
    facts: dict[Fact, str] = dict(before.facts)
    facts.pop(Fact.APPLICANT_KIND, None)  # it is told
    kept = Conversation(program=before.program, facts=facts, left=before.left, language=before.language)
    kept = replace(kept, towns=before.towns, home=before.home)
    return replace(inquiry, text=text, conversation=kept) if len(text) <= _LONGEST else None


def told_so_far(inquiry: Inquiry, understood: Understanding) -> str:
    """What was told of the case that a message is about, with the message."""
    return (put_together(inquiry, understood) or inquiry).text


def of_the_last(understood: Sequence[Understood], whole: Inquiry, last: Inquiry) -> tuple[Understood, ...]:
    """What was understood of a case, with the places in its last message; what was told before it has none."""
    before = len(whole.text) - len(last.text)
    return tuple(
        replace(one, start=one.start - before, end=one.end - before)
        if one.start >= before
        else replace(one, text="", start=-1, end=-1)
        for one in understood
    )
