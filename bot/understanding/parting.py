"""The several things that a message asks: its questions, the things of a list, and the bodies that each is asked of."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise

from bot.understanding.apart import of_each_body
from bot.understanding.message import Message, spans, spans_overlap
from knowledge.figures import Dimension
from knowledge.lexicon import Token
from knowledge.types import ApplicantKind

MOST_QUESTIONS = 6
"""More questions of one message than this are not looked up."""

_MARK = re.compile(r"(?:^|(?<=[ 、。:,]))(?:\([0-9a-zア-ン]\)|[0-9][.)](?![0-9]))\s*|(?<![0-9.(])[0-9]\)\s*")
"""What stands before each item of a numbered list; ① is read as (1)."""

_BETWEEN = frozenset({"、", "と", "や", "・", "及び", "および", "並びに", "ならびに"})
_NOMINAL = frozenset({"名詞", "接尾辞", "接頭辞"})
_ASKS_OF = re.compile(
    r"^(?:[をがはも]|って|について|に関して|とか|の件)?(?:も|は)?(?:それぞれ|まとめて|全部)?"
    r"(?=$|[、。?]|教え|知り|聞き|ご教示|確認|お願い|分か|わか)"
)
"""How a list of things goes on where each of them is asked for."""

_WISHES = re.compile(r"[もを](?:お願い(?!し(?:て|た|中|よう))|頼(?!ん))")
"""How something is asked for that is to be told (電話番号もお願いします)."""

_BARE_ITEM = 24
"""Characters of a thing in a list: what is longer is told, not listed."""


@dataclass(frozen=True)
class Question:
    """One thing that a message asks: its words, and where in the message they stand."""

    text: str
    start: int
    end: int


@dataclass(frozen=True)
class AskedThing:
    """One of several things that a message asks, as a message of its own.

    `label` names the body that it is asked of, "" for none. `leans` tells that it goes on from the one before, `alone`
    that it knows nothing of the case that others put.
    """

    text: str
    label: str = ""
    leans: bool = False
    alone: bool = False


@dataclass(frozen=True)
class Parted:
    """A message as what it `told`, "" for nothing, and the several `things` that it asks in the light of that."""

    told: str
    things: tuple[AskedThing, ...]


def part(message: Message, names: Sequence[tuple[int, int]]) -> Parted | None:
    """What a message tells, and the several things that it asks; None where it asks one.

    What stands before a numbered list goes with each of its items.

    Args:
        message: the message.
        names: where it names programs. A list may begin with the one that it is asked of (計画策定、期間・費用を).
    """
    of_programs = len(names) > 1 and message.says("which") and not message.says("each")  # 計画策定と派遣、どっち?
    bodies = () if of_programs else of_each_body(message)
    if bodies:
        return Parted("", tuple(AskedThing(body.text, body.name, alone=True) for body in bodies))
    words = () if questions_of(message) else _keywords(message, names)
    asked = [word for word in words if not _tells(message, word.start, word.end)] or questions_of(message)
    questions = [question for question in asked if _has_a_matter(message, question)]
    of_names = [q for q in questions if any(start <= q.start and q.end <= end for start, end in names)]
    questions = [question for question in questions if question not in of_names]
    listed = bool(_MARK.search(message.text))
    if len(questions) < 2 or (listed and of_names):  # ①計画策定 ②アドバイザー、それぞれ対象ですか
        return None
    told = _told(message, questions)
    told[0] += "、".join(word.text for word in words if word not in asked)
    if listed:
        return Parted("", tuple(AskedThing(f"{told[0]}{question.text}", alone=True) for question in questions))
    before = [""] * len(questions)
    for name in of_names:  # 上限は?計画策定支援、期間は?
        if after := [number for number, question in enumerate(questions) if question.start > name.start]:
            before[after[0]] = f"{message.text[name.start : name.end]}、"
    things = (
        AskedThing(
            f"{name}{question.text}", leans=message.says("that", "anaphor", start=question.start, end=question.end)
        )
        for name, question in zip(before, questions, strict=True)
    )
    return Parted("".join(told), tuple(things))


def _told(message: Message, questions: Sequence[Question]) -> list[str]:
    """What is not asked: before each question, and after the last."""
    told = [""] * (len(questions) + 1)
    for sentence in sorted({clause.sentence for clause in message.clauses}):
        clauses = [clause for clause in message.clauses if clause.sentence == sentence]
        start, end = clauses[0].start, clauses[-1].end
        if not any(question.start < end and start < question.end for question in questions):
            told[sum(question.start < start for question in questions)] += message.text[start:end]
    return told


def _has_a_matter(message: Message, question: Question) -> bool:
    """Whether a question asks anything by itself: 教えてください and 合っていますか do not, nor なぜその額なのか."""
    mentions = message.mentions_between(question.start, question.end)
    if message.says("why", start=question.start, end=question.end) and _POINTS_BACK.search(question.text):
        return False
    return any(not mention.concepts <= _ASKS for mention in mentions) or message.unread(question.text)


_POINTS_BACK = re.compile(r"(?:その|この)(?:額|金額|数|理由|期限|条件|回数)|それは?なぜ|なぜそう")

_ASKS = frozenset({"asks", "claim", "each"})
"""Concepts of words that only tell that something is asked."""


def questions_of(message: Message) -> tuple[Question, ...]:
    """The questions of a message in order of asking; none where no sentence asks."""
    items = tuple(_numbered(message))
    if len(items) > 1:
        return items[:MOST_QUESTIONS]
    asking = {
        clause.sentence
        for clause in message.clauses
        if clause.number in message.asking or _WISHES.search(message.text, clause.start, clause.end)
    }
    found = [question for sentence in sorted(asking) for question in _of_sentence(message, sentence)]
    return tuple(found[:MOST_QUESTIONS])


def _keywords(message: Message, names: Sequence[tuple[int, int]]) -> tuple[Question, ...]:
    """What is asked by mere words behind a program's name (アドバイザー 謝金 会場費); none where anything is said."""
    says = any(token.pos in _SAYS or token.detail in ("終助詞", "接続助詞") for token in message.tokens)
    if says or min(names, default=(1, 1))[0] > 0:
        return ()
    return tuple(Question(item.group(), *item.span()) for item in _ITEM.finditer(message.text))


_SAYS = frozenset({"動詞", "助動詞", "形容詞", "代名詞"})
_ITEM = re.compile(r"[^\s、,・/:]+")


def _tells(message: Message, start: int, end: int) -> bool:
    """Whether an item says who asks, or a figure of the case."""
    return message.says(*_TELLS, start=start, end=end) or any(start <= f.start < end for f in message.figures)


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
    for first, last in () if items else _asking_stretches(message, start, end):
        yield Question(message.text[first:last].strip(), first, last)
    for item in items:
        before, after = message.text[start : items[0][0]], message.text[items[-1][1] : end]
        yield Question(f"{before}{message.text[item[0] : item[1]]}{after}".strip(), *item)


_INTERROGATIVE = ("when", "how_much", "how_long", "how_often", "who")


def _asking_stretches(message: Message, start: int, end: int) -> Iterator[tuple[int, int]]:
    """The stretches between commas that each ask something: いつ締切で、上限はいくらですか; 通りますか、負担は?"""
    cut = [start]
    chooses = message.says("which", start=start, end=end)
    for comma in message.tokens_between(start, end):
        if comma.surface != "、" or comma.end - cut[-1] < _A_STRETCH:
            continue
        asks = message.says(*_INTERROGATIVE, start=cut[-1], end=comma.start)
        ends_asking = not chooses and _ends_asking(message.tokens_between(cut[-1], comma.start))
        if ends_asking and message.says("unknown", start=comma.end, end=message.clause_at(comma.end).end):
            continue  # 選ばれたことがあるのか、私には分かりかねます
        if (asks or ends_asking) and not _OR.match(message.text, comma.end):
            cut.append(comma.end)
    rest = Question(message.text[cut[-1] : end], cut[-1], end)
    if len(cut) > 1 and not _asks_something(message, rest):
        cut.pop()
    yield from pairwise([*cut, end])


def _ends_asking(tokens: Sequence[Token]) -> bool:
    """Whether words end on a particle that asks: 通りますかね, 足りるのか, 始まったかと."""
    words = [token.surface for token in tokens]
    while len(words) > 1 and words[-1] in _AFTER_ASKING:
        words.pop()
    return words[-1:] in (["か"], ["かな"], ["かね"], ["かい"])


def _asks_something(message: Message, rest: Question) -> bool:
    """Whether the end of a sentence asks by itself, and does not only wish to know what stands before it."""
    tokens = message.tokens_between(rest.start, rest.end)
    asks = message.says(*_INTERROGATIVE, start=rest.start, end=rest.end) or "?" in rest.text
    asks |= any(_ends_asking(tokens[: at + 1]) and tokens[at - 1].pos != "名詞" for at in range(1, len(tokens)))
    asks |= any(one.pos in _NOMINAL and after.surface in _TOPICS for one, after in pairwise(tokens))
    return asks and _has_a_matter(message, rest)


_TOPICS = frozenset({"は", "も", "を"})
_AFTER_ASKING = frozenset({"と", "ね", "な"})

_OR = re.compile(r" ?(?:それとも|または|あるいは|もしくは)")
"""How the other of two things begins between which it is asked: that is one question."""

_A_STRETCH = 5
"""A stretch of fewer characters asks nothing by itself (いつ、)."""


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
    before = tokens[at - 1]
    ends_item = before.pos in _NOMINAL or before.surface == "まで"  # 何日まで・費用
    return at > 0 and after < len(tokens) and ends_item and tokens[after].pos in _NOMINAL


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
    if tokens[at].surface == "まで":
        return at + 1 < len(tokens) and tokens[at + 1].surface in _BETWEEN
    return tokens[at].pos in _NOMINAL or (tokens[at].surface == "の" and _between_nouns(tokens, at))
