"""Goes back to what a conversation was on before: 最初の質問に戻るけど, 計画策定の方に戻って, さっきの件だけど."""

from dataclasses import replace

from bot.types import Conversation, Inquiry
from bot.understanding.message import Message, read_message, spans, spans_overlap
from bot.understanding.programs import name_spans, named_programs
from knowledge.catalog import Catalog
from knowledge.lexicon import Mention
from knowledge.types import Fact

MOST_LEFT = 5
"""Matters of a conversation that can be gone back to: the first, and the last ones."""

_OF_THE_PERSON = (Fact.APPLICANT_KIND, Fact.FISCAL_INDEX, Fact.INVESTMENT_OR_NONPROFIT)


def leave(before: Conversation) -> tuple[Conversation, ...]:
    """The matters that were left, with the one that is left now."""
    if not before.question:
        return before.left
    now = replace(before, left=(), proposed=None, turn="", desk="")
    others = [one for one in before.left if one.question != now.question]
    return (*others[:1], *[*others[1:], now][1 - MOST_LEFT :])


def went_back(inquiry: Inquiry, catalog: Catalog) -> Inquiry:
    """The inquiry as one of the matter that it goes back to, and of what it asks beside; unchanged where it does not.

    What only says so is blanked, so that words keep their places; where nothing else is asked, the question of then is.
    """
    before = inquiry.conversation
    if not before.question:
        return inquiry
    message = read_message(inquiry.text, inquiry.as_of)
    mentions = message.saying("goes_back")
    if not mentions:
        return inquiry
    names = {id: name_spans(message.text, program) for id, program in catalog.programs.items()}
    end = _end_of_pointing(message, mentions[-1], [span for found in names.values() for span in found])
    pointing = message.text[:end]
    named = named_programs(pointing, catalog.programs.values(), before.program, with_nicknames=False)
    then = _meant(pointing, named[0] if len(named) == 1 else "", before)
    if then is None:
        return inquiry
    kept = {fact: value for fact, value in before.facts.items() if fact in _OF_THE_PERSON}
    then = replace(
        then,
        facts={**then.facts, **kept},
        left=leave(before),
        language=before.language,
        towns=before.towns,
        home=before.home,
    )
    asked = message.span_of(end, end)[0]
    rest = inquiry.text[asked:]
    asks_more = any(character.isalnum() for character in rest)
    text = f"{'　' * asked}{rest}" if asks_more else then.question
    return replace(inquiry, text=text, conversation=then)


def _end_of_pointing(message: Message, mention: Mention, names: list[tuple[int, int]]) -> int:
    """Where the words end that only point back: with their clause, unless it has a matter of its own."""
    clause = message.clause_at(mention.start)
    pointing = [*names, *spans(message.saying("formal"))]
    matter = [
        token
        for token in message.tokens_between(mention.end, clause.end)
        if token.pos == "名詞" and not spans_overlap((token.start, token.end), pointing)
    ]
    return mention.end if matter else clause.end


def _meant(pointing: str, program: str, before: Conversation) -> Conversation | None:
    """The matter that is gone back to, None where there is none."""
    left = before.left
    if program:
        return next((one for one in (before, *reversed(left)) if one.program == program), None)
    if "最初" in pointing or "初め" in pointing:
        return left[0] if left else before
    if "戻" in pointing:
        return next((one for one in reversed(left) if one.program != before.program), left[-1] if left else before)
    return before


def pending(before: Conversation) -> Conversation | None:
    """The matter just left for another while a fact was asked for: a message that tells it takes the matter up."""
    left = before.left[-1] if before.left else None
    if left is None or left.asked_for is None or before.asked_for is not None or left.program != before.program:
        return None
    facts = {**left.facts, **before.facts}
    return replace(
        left, facts=facts, left=leave(before), language=before.language, towns=before.towns, home=before.home
    )
