"""A reading that only a chat model has is put to the asker, and counts when they say yes."""

from collections.abc import Iterator
from dataclasses import replace

from bot import replies
from bot.types import CONFIRMED, Answer, AnswerStatus, Conversation, Inquiry, Proposals, Proposed
from bot.understanding.asking import load_subjects
from bot.understanding.denying import denials
from bot.understanding.message import read_message
from knowledge.catalog import Catalog
from knowledge.rules.tables import fact_words
from knowledge.types import Choice, Fact

_LONGEST = 14
"""A longer message than this many characters says more than yes or no."""


def propose(
    proposals: Proposals, inquiry: Inquiry, remembered: Conversation, catalog: Catalog
) -> tuple[Answer, Conversation]:
    """Asks whether a message was read rightly, by a tap, in the place of an answer.

    Args:
        proposals: what was read.
        inquiry: the message, with the conversation before it.
        remembered: what the conversation remembers of the message without the proposals.
        catalog: names what was read.
    """
    text = replies.read_so(_lines(proposals, inquiry, catalog))
    asked = Answer(text, AnswerStatus.NEEDS_INFO, missing=_facts(proposals), choices=_TAPS)
    return asked, _waiting(proposals, inquiry, remembered)


def doubt(
    shown: Answer, proposals: Proposals, inquiry: Inquiry, remembered: Conversation, catalog: Catalog
) -> tuple[Answer, Conversation]:
    """Asks the same under an answer that is shown already, which stays as it is."""
    said, marker, sources = shown.text.partition(replies.SOURCES)
    text = f"{said}\n\n{replies.read_otherwise(_lines(proposals, inquiry, catalog))}{marker}{sources}"
    return replace(shown, text=text, choices=_TAPS), _waiting(proposals, inquiry, remembered)


_TAPS = (Choice(replies.YES, "yes"), Choice(replies.NO, "no"))


def _facts(proposals: Proposals) -> tuple[Fact, ...]:
    return tuple(Fact(reading.slot) for reading in proposals.readings) or (Fact.PROGRAM,)


def _waiting(proposals: Proposals, inquiry: Inquiry, remembered: Conversation) -> Conversation:
    proposed = Proposed(inquiry.text, proposals, replace(inquiry.conversation, proposed=None))
    return replace(remembered, asked_for=_facts(proposals)[0], proposed=proposed)


def _lines(proposals: Proposals, inquiry: Inquiry, catalog: Catalog) -> Iterator[str]:
    """What was read, each with the asker's words that say it."""
    message = read_message(inquiry.text, inquiry.as_of)
    names = {cues.subject: cues.label for cues in load_subjects()}
    if proposals.programs:
        programs = "、".join(catalog.programs[id].name for id in proposals.programs)
        yield replies.read_as(catalog.facts[Fact.PROGRAM].label, programs)
    if proposals.subjects:
        yield replies.read_as(replies.ASKED, "、".join(names[subject] for subject in proposals.subjects))
    for reading in proposals.readings:
        question = catalog.facts[Fact(reading.slot)]
        yield replies.read_as(
            question.label, fact_words(question, reading.value), message.text[reading.start : reading.end]
        )
    if amount := proposals.amount:
        yield replies.read_as(replies.AMOUNT, message.text[amount.start : amount.end])


def confirmed(proposals: Proposals) -> Proposals:
    """The same as the asker's own word, which no other reading of the message outweighs."""
    return replace(proposals, readings=tuple(replace(reading, by=CONFIRMED) for reading in proposals.readings))


def read_yes_or_no(inquiry: Inquiry) -> bool | None:
    """What a short message says to a question for yes or no; None where it says something else."""
    message = read_message(inquiry.text, inquiry.as_of)
    if len(message.text) > _LONGEST or message.figures:
        return None
    if message.says("says_no") or denials(message, 0, len(message.text)) % 2:
        return False
    return True if message.says("says_yes") else None
