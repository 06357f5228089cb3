"""The questions of a message: the sentences that ask, and each thing of a list that is asked for."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from bot.understanding.message import Message, spans, spans_overlap
from knowledge.figures import Dimension
from knowledge.lexicon import Token
from knowledge.types import ApplicantKind

MOST_QUESTIONS = 6
"""More questions of one message than this are not looked up."""

_MARK = re.compile(r"(?:^|(?<=[ 、。:,]))(?:\([0-9a-zア-ン]\)|[0-9][.)](?![0-9]))\s*")
"""What stands before each item of a numbered list; ① is read as (1)."""

_BETWEEN = frozenset({"、", "と", "や", "・", "及び", "および", "並びに", "ならびに"})
_NOMINAL = frozenset({"名詞", "接尾辞", "接頭辞"})
_ASKS_OF = re.compile(
    r"^(?:[をがはも]|って|について|に関して|とか|の件)?(?:も|は)?(?:それぞれ|まとめて|全部)?"
    r"(?=$|[、。?]|教え|知り|聞き|ご教示|確認|お願い|分か|わか)"
)
"""How a list of things goes on where each of them is asked for."""

_BARE_ITEM = 24
"""Characters of a thing in a list: what is longer is told, not listed."""


@dataclass(frozen=True)
class Question:
    """One thing that a message asks: its words, and where in the message they stand."""

    text: str
    start: int
    end: int


def questions_of(message: Message) -> tuple[Question, ...]:
    """The questions of a message in order of asking; none where no sentence asks."""
    items = tuple(_numbered(message))
    if len(items) > 1:
        return items[:MOST_QUESTIONS]
    asking = {clause.sentence for clause in message.clauses if clause.number in message.asking}
    found = [question for sentence in sorted(asking) for question in _of_sentence(message, sentence)]
    return tuple(found[:MOST_QUESTIONS])


def _numbered(message: Message) -> Iterator[Question]:
    """The items of a numbered list, each up to the next mark or the end of its sentence."""
    marks = [match.span() for match in _MARK.finditer(message.text)]
    for (_, start), (after, _) in zip(marks, [*marks[1:], (len(message.text), 0)], strict=False):
        end = message.text.find("。", start, after)
        text = message.text[start : after if end < 0 else end].strip("、。 ")
        if text:
            yield Question(text, start, start + len(text))


def _of_sentence(message: Message, sentence: int) -> Iterator[Question]:
    clauses = [clause for clause in message.clauses if clause.sentence == sentence]
    start, end = clauses[0].start, clauses[-1].end
    items = _listed(message, start, end)
    if not items:
        yield Question(message.text[start:end].strip(), start, end)
    for item in items:
        before, after = message.text[start : items[0][0]], message.text[items[-1][1] : end]
        yield Question(f"{before}{message.text[item[0] : item[1]]}{after}".strip(), *item)


def _listed(message: Message, start: int, end: int) -> list[tuple[int, int]]:
    """The things of a list (上限額と補助率を教えて) in a sentence; none where it is of bodies, or compares them."""
    tokens = message.tokens_between(start, end)
    for at, token in enumerate(tokens):
        if token.surface in _BETWEEN and _between_nouns(tokens, at):
            items = list(_items(tokens, at))
            last, after = items[-1], message.text[items[-1][1] : end]
            told = message.saying(*_TELLS, start=items[0][0], end=items[-1][1])
            counted = [figure for figure in message.figures if figure.dimension is not Dimension.NUMBER]
            taken = [*spans(counted), *spans(message.days), *spans(message.places), *spans(told)]
            if (
                len(items) > 1
                and _ASKS_OF.match(after)
                and not message.says("compare", "difference", start=last[0], end=end)
                and all(item[1] - item[0] <= _BARE_ITEM and not spans_overlap(item, taken) for item in items)
            ):
                return items
    return []


_TELLS = tuple({kind.value for kind in ApplicantKind} | {"prefecture", "municipality", "self", "other"})
"""What a list of bodies names: it is said of all of them together what is asked."""


def _between_nouns(tokens: Sequence[Token], at: int) -> bool:
    after = _after(tokens, at)
    return at > 0 and after < len(tokens) and tokens[at - 1].pos in _NOMINAL and tokens[after].pos in _NOMINAL


def _after(tokens: Sequence[Token], at: int) -> int:
    """The token after one that joins: a comma may follow it (違いと、締切)."""
    return at + 2 if tokens[at + 1 : at + 2] and tokens[at + 1].surface == "、" else at + 1


def _items(tokens: Sequence[Token], at: int) -> Iterator[tuple[int, int]]:
    """The places of the nouns on both sides of what stands between them, and of those that go on the list."""
    first = at
    while first > 0 and _is_of_a_name(tokens, first - 1):
        first -= 1
    start = tokens[first].start
    joined = -1
    for number in range(first, len(tokens) + 1):
        if number < len(tokens) and tokens[number].surface in _BETWEEN and _between_nouns(tokens, number):
            yield start, tokens[number - 1].end
            joined = number
            start = tokens[_after(tokens, number)].start
        elif number == len(tokens) or not (_is_of_a_name(tokens, number) or number == joined + 1):
            yield start, tokens[number - 1].end
            return


def _is_of_a_name(tokens: Sequence[Token], at: int) -> bool:
    """Whether a token belongs to what a thing is called by: 申込みの締切."""
    return tokens[at].pos in _NOMINAL or (tokens[at].surface == "の" and _between_nouns(tokens, at))
