"""Tells what the days of a message are: the day asked about, the end of the support, when a report is handed in."""

import re
from calendar import monthrange
from collections.abc import Sequence
from datetime import date, timedelta

from bot.types import Reading, Whose
from bot.understanding.denying import is_contrasted
from bot.understanding.message import Message
from bot.understanding.owning import Scene
from knowledge.figures import Day, Dimension, latest
from knowledge.types import Fact

Span = tuple[date, date]
"""A first and a last day."""

_NOW = frozenset({"今", "いま", "現在", "これから", "直近", "今後"})
_EITHER = re.compile(r"、?(?:か|または|もしくは|or)、?")
_LATELY_OVER = timedelta(days=120)
"""A day without its year on which support ends, and that is not told as over, is to come unless it was lately."""

_TODAY = frozenset({"今日", "本日", "きょう"})
_LATELY = frozenset({"先週", "先月", "昨日", "先日", "きのう"})
_OF_A_CALL = ("apply", "applied", "call", "hands_in", "dispatch")
_SUPPOSES = ("場合", "とき", "時", "ら", "後", "あと", "と")
_HANDS_IN = ("hands_in", "in_time", "late", "safe")


def asking_sentences(message: Message) -> frozenset[int]:
    """The numbers of the sentences that ask something."""
    return frozenset(clause.sentence for clause in message.clauses if clause.number in message.asking)


def days_asked(message: Message, scene: Scene) -> Span | None:
    """The first and last day that a question about a call is about; a whole fiscal year is no day."""
    near = [
        day
        for day in message.days
        if day.precision not in ("fiscal_year", "year")
        and not is_contrasted(message, day.end)
        and _is_asked(day, message, scene)
        and _written(day, message) not in _NOW
    ]
    others = [day for day in near if _written(day, message) not in _TODAY]
    asking = asking_sentences(message) or {message.clause_at(m.start).sentence for m in message.saying("want")}
    in_question = [day for day in others or near if message.clause_at(day.start).sentence in asking]
    left = in_question or others or near
    if not left:
        return None
    *_, first, last = (left[-1], *left)
    either = _EITHER.fullmatch(message.text, first.end, last.start)  # 来月か再来月
    return (min(first, last, key=lambda day: day.first_on) if either else last).first_on, last.last_on


def ended_on(message: Message, scene: Scene, before: Span | None) -> Span | None:
    """The day or month in which the support ended: the applicant's, and of its two years the nearer.

    What has ended did so in the last of them; a day that puts another right (`before`) is near to that one. Where it is
    said that something ended, the last day that this is said of; else one on which nothing is handed in, unless the end
    is known and the message speaks of the report.
    """
    written = _of_the_support(message, scene)
    told = [day for day in written if _ends(day, message)]
    left = [day for day in written if not (_is_handed_in(day, message) or _is_due(day, message))]
    of_the_report = before is not None and message.says("report") and not message.says("correct")
    chosen = (told or ([] if of_the_report else left))[-1:]
    if not chosen:
        return _put_right(message, before) if before else None
    spans = _spans(chosen[0], message)
    if _is_over(chosen[0], message):
        return spans[-1]
    if before and message.says("correct"):
        return min(spans, key=lambda span: abs(span[0] - before[0]))
    just_over = [span for span in spans if timedelta() <= message.as_of - span[0] <= _LATELY_OVER]
    return just_over[0] if just_over else spans[0]


def _put_right(message: Message, before: Span) -> Span | None:
    """The day of the same month that a message puts in the place of the one before: 6日じゃなくて9日だった."""
    days = [figure for figure in message.figures if figure.dimension is Dimension.DAY and figure.value % 1 == 0]
    told = [figure for figure in days if figure.value != before[1].day]
    if len(days) < 2 or len(told) != 1 or message.asking:
        return None
    last = monthrange(before[1].year, before[1].month)[1]
    day = before[1].replace(day=int(told[0].value)) if told[0].value <= last else None
    return (day, day) if day else None


def _is_due(day: Day, message: Message) -> bool:
    """Whether a day is said to be the last one for something: 期限の日が日曜です."""
    return bool(message.in_clause(message.clause_at(day.start), "deadline"))


def handed_in(message: Message, scene: Scene, ended: Span | None) -> date | None:
    """The day on which a report is said to be handed in, of its years the nearer to the end of the support."""
    days = [day for day in _of_the_support(message, scene) if not _ends(day, message) and day.precision == "day"]
    said = [day for day in days if _is_handed_in(day, message)]
    if ended and not any(_ends(day, message) for day in message.days):
        said = [day for day in days if message.in_clause(message.clause_at(day.start), "report")] or said
    dated = [day for day in said if _written(day, message) not in _TODAY] or said
    if not dated:
        return None
    near = ended[1] if ended else message.as_of
    return min((span[0] for span in _spans(dated[-1], message)), key=lambda day: abs(day - near))


def fiscal_year(message: Message, readings: Sequence[Reading]) -> int | None:
    """The fiscal year that is asked about: in a clause that asks, and of no index, earlier time or other body."""
    taken = [
        reading for reading in readings if reading.slot in (Fact.FISCAL_INDEX, Fact.PAST_SELECTION, Fact.DISPATCH_YEAR)
    ]
    years = []
    for day in message.days:
        if day.precision not in ("fiscal_year", "year"):
            continue
        clause = message.clause_at(day.start)
        if any(message.clause_at(reading.start) == clause for reading in taken):
            continue
        sentence = [c for c in message.clauses if c.sentence == clause.sentence]
        if not any(c.number in message.asking for c in sentence) and len(message.clauses) > len(sentence):
            continue
        years.append(day)
    return years[0].first_on.year if years else None


def _written(day: Day, message: Message) -> str:
    return message.text[day.start : day.end]


def _is_asked(day: Day, message: Message, scene: Scene) -> bool:
    owner = scene.owner_at(day.start, day.end)
    if owner.whose is Whose.ANOTHER and not scene.is_the_applicants(owner):
        return False
    clause = message.clause_at(day.start)
    ended = message.saying("ended", start=day.end, end=clause.end)
    done = any(token.key == "た" for token in message.tokens_between(day.end, clause.end))
    told = clause.number not in message.asking and not message.in_clause(clause, *_OF_A_CALL)
    over = day.last_on < message.as_of or _written(day, message) in _LATELY
    return not (done and (ended or (over and told)))


def _of_the_support(message: Message, scene: Scene) -> list[Day]:
    """The days and months of the applicant's that are not taken back (24日ではなく25日)."""
    taken_back = {day.first_on for day in message.days if is_contrasted(message, day.end)}
    return [
        day
        for day in message.days
        if day.precision in ("day", "month")
        and day.first_on not in taken_back
        and scene.owner_at(day.start, day.end).whose is not Whose.ANOTHER
    ]


def _ends(day: Day, message: Message) -> bool:
    """Whether something is said to end on a day: 11月22日に終わる, 最終日が11月22日."""
    clause = message.clause_at(day.start)
    first = min((d.start for d in message.days if clause.start <= d.start < clause.end), default=day.start)
    after = message.says("ended", start=day.end, end=clause.end)
    return after or (day.start == first and message.says("ended", start=clause.start, end=day.start))


def _is_over(day: Day, message: Message) -> bool:
    """Whether it is told that something has ended on a day: 5月10日に終わりました, not 終わった場合."""
    ended = message.saying("ended", start=day.end, end=message.clause_at(day.start).end)
    following = message.tokens_between(ended[0].start, ended[0].end + 4) if ended else ()
    return any(t.surface == "た" and not message.text.startswith(_SUPPOSES, t.end) for t in following)


def _is_handed_in(day: Day, message: Message) -> bool:
    """Whether a day is one on which something is handed in: 報告書は15日に出す, 10日で遅い?"""
    clause = message.clause_at(day.start)
    named = message.says("hands_in", start=_sentence_start(message, clause.sentence), end=day.start)
    asked = (
        clause.number in message.asking and named and not message.says("when", "how_long")
    )  # 報告書の提出、10日でどう?
    return asked or message.says(*_HANDS_IN, start=day.end, end=clause.end)


def _sentence_start(message: Message, sentence: int) -> int:
    return next(clause.start for clause in message.clauses if clause.sentence == sentence)


def _spans(day: Day, message: Message) -> list[Span]:
    """What a day may be: of one without its year the next, the one before it, and the last."""
    if day.every != "year":
        return [(day.first_on, day.last_on)]
    days = (day, latest(day, day.first_on - timedelta(days=1)), latest(day, message.as_of))
    return [(one.first_on, one.last_on) for one in days]
