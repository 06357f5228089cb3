"""Reads by likeness what the clauses of a message say: a second reader, which knows no words, beside the first."""

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from functools import cache

import numpy as np

from bot.types import BY_LIKENESS, CONFIRMED, Reading, Whose
from bot.understanding.admitting import STRONGEST, Admitted
from bot.understanding.bodies import Part
from bot.understanding.message import Message
from bot.understanding.owning import Scene
from knowledge.clauses import FIGURE, ClauseClassifier, Told, load_classifier
from knowledge.encoder.encoding import Encoder, load_encoder
from knowledge.figures import Dimension
from knowledge.rules.tables import BESIDE
from knowledge.types import ApplicantKind, Fact

SURE = 0.9
"""From here on a likeness counts where nothing else was read."""

SURE_OF_ASKING = 0.6
"""The same of what is asked: there are twenty things to ask, and asked amiss it costs a paragraph."""

SURE_OF_HEARING = 0.6
"""The same of a clause that tells a rule or of another: what is the asker's own is hardly ever taken for it."""

_PUTS_A_CASE = (
    "場合",
    "場合は",
    "場合、",
    "場合には",
    "とき",
    "ときは",
    "なら",
    "ならば",
    "だと",
    "としたら",
    "とすると",
)
"""Ends of clauses that put a case of which it is asked, however much like a rule they sound."""

VERY_SURE = 0.97
"""From here on it counts against what was read."""

_SURER_THAN_PLAIN_WORDS = 0.99
"""From here on it counts against a body that is plainly put as the one that applies."""

_LONGEST = 70
"""Characters of a sentence that is read as a whole; a longer one says too much at once to be like anything."""

_UNKNOWN = frozenset({"unknown", "undecided"})

_MEANS: Mapping[tuple[Fact, str], str] = {
    (Fact.PARTNERSHIP, "through_prefecture"): "joint",
    (Fact.JOINT_PROJECT, "some"): "with_recommender",
    (Fact.MEETING_MODE, "mixed"): "on_site",
    (Fact.FISCAL_INDEX, "below"): str(1 - BESIDE),
    (Fact.FISCAL_INDEX, "above"): "1",
}
"""The facts that values of the examples come to."""

_AS_GOOD: Mapping[tuple[Fact, str], frozenset[str]] = {
    (Fact.JOINT_PROJECT, "some"): frozenset({"with_recommender", "with_other"}),
    (Fact.INVESTMENT_OR_NONPROFIT, "nonprofit"): frozenset({"invested", "awaited"}),
    (Fact.APPLICANT_KIND, "company"): frozenset({"invested_corporation"}),
    (Fact.APPLICANT_KIND, "nonprofit"): frozenset({"voluntary_group"}),
}
"""Values that a likeness leaves as they were read: it tells less than they do."""


@dataclass(frozen=True)
class Likeness:
    """What the words between two characters are like, as a value of a fact, with its probability."""

    fact: Fact
    value: str
    start: int
    end: int
    confidence: float


@dataclass(frozen=True)
class AskedLike:
    """What the clause with this number is like to ask: a subject, or a word for what no rule decides."""

    clause: int
    start: int
    subject: str
    confidence: float


@dataclass(frozen=True)
class Likenesses:
    """What a message is like.

    `of_facts` are the likenesses of its clauses and sentences, `asked` what its clauses ask, `roles` what its figures
    and names of programs are of, by where they begin. `heard` are the numbers of clauses that tell of no case of the
    asker's: a rule as somebody heard it, or how another body stands.
    """

    of_facts: tuple[Likeness, ...] = ()
    asked: tuple[AskedLike, ...] = ()
    roles: Mapping[int, str] = field(default_factory=dict)
    heard: Mapping[int, str] = field(default_factory=dict)

    def without(self, clauses: frozenset[int], message: Message) -> "Likenesses":
        """What the message is like as if these clauses said nothing."""
        facts = tuple(one for one in self.of_facts if clauses.isdisjoint(_numbers(message, one.start, one.end)))
        return replace(self, of_facts=facts, asked=tuple(one for one in self.asked if one.clause not in clauses))

    def surest(self) -> dict[Fact, tuple[Likeness, ...]]:
        """Of each fact its likenesses, the surest first."""
        by_fact: dict[Fact, list[Likeness]] = {}
        for like in sorted(self.of_facts, key=lambda like: -like.confidence):
            by_fact.setdefault(like.fact, []).append(like)
        return {fact: tuple(likenesses) for fact, likenesses in by_fact.items()}

    def says(self, fact: Fact, value: str) -> bool:
        """Whether something is like a clause that says this value of a fact."""
        return any(like.fact is fact and like.value == value for like in self.of_facts)


NOTHING_LIKE = Likenesses()


class ClauseReader:
    """Reads each clause, and each sentence of several, by the clauses that they are like."""

    def __init__(self, encoder: Encoder, classifier: ClauseClassifier) -> None:
        """Takes the encoder, and what was learnt over its vectors."""
        self._encoder = encoder
        self._classifier = classifier

    def read(self, message: Message, names: Iterable[tuple[int, int]] = ()) -> Likenesses:
        """What is sure enough to count, in one call of the encoder; `names` are where several programs are named."""
        spans = list(_spans(message))
        if not spans:
            return NOTHING_LIKE
        marked = [*_marked_figures(message), *_marked_names(message, names)]
        texts = [message.text[start:end] for start, end in spans]
        vectors = self._encoder.encode_queries([*texts, *(one.text for one in marked)])
        of_spans, of_marked = vectors[: len(spans)], vectors[len(spans) :]
        of_facts = tuple(
            Likeness(fact, one.value, start, end, one.confidence)
            for (start, end), told in zip(spans, self._classifier.classify(of_spans), strict=True)
            for fact, one in told.items()
            if one.confidence >= SURE
        )
        asked = tuple(
            AskedLike(message.clause_at(start).number, start, one.value, one.confidence)
            for (start, end), one in zip(spans, self._classifier.classify_asked(of_spans), strict=True)
            if one.confidence >= SURE_OF_ASKING and message.clause_at(start) == message.clause_at(end - 1)
        )
        roles = {
            one.start: role.value
            for one, vector in zip(marked, of_marked, strict=True)
            for role in self._classifier.classify_role(one.kind, vector[np.newaxis])
            if role.confidence >= SURE
        }
        heard = {
            number: one.value
            for (start, end), one in zip(spans, self._classifier.classify_told_of(of_spans), strict=True)
            if _is_heard(one, message, start, end)
            for number in _numbers(message, start, end)
        }
        return Likenesses(of_facts, asked, roles, heard)


_ENDS_WITH = 6
"""Characters at the end of a clause in which it is said that it only puts a case."""


def _numbers(message: Message, start: int, end: int) -> range:
    """The numbers of the clauses between two characters."""
    return range(message.clause_at(start).number, message.clause_at(end - 1).number + 1)


def _is_heard(told: Told, message: Message, start: int, end: int) -> bool:
    """Whether words tell a rule, or of another body that they name; a sentence of several clauses must surely."""
    numbers = _numbers(message, start, end)
    if told.confidence < (SURE if len(numbers) > 1 else SURE_OF_HEARING) or not message.asking.isdisjoint(numbers):
        return False
    if message.text[start:end].endswith(_PUTS_A_CASE):
        return False
    if told.value == "another":
        return message.says("other", start=start, end=end) and not message.says("self", start=start, end=end)
    supposed = message.says("suppose", start=end - _ENDS_WITH, end=end)  # 選定された県が5,000万円で申請する場合、
    return told.value == "rule" and not supposed


@cache
def open_clause_reader() -> ClauseReader:
    """The reader over the encoder that ships."""
    return ClauseReader(load_encoder(), load_classifier())


def _spans(message: Message) -> Iterator[tuple[int, int]]:
    """The clauses that have words, and the sentences of several clauses."""
    by_sentence: dict[int, list[tuple[int, int]]] = {}
    for clause in message.clauses:
        words = [t for t in message.tokens_between(clause.start, clause.end) if t.pos not in ("補助記号", "空白")]
        if words:
            by_sentence.setdefault(clause.sentence, []).append((words[0].start, words[-1].end))
    for clauses in by_sentence.values():
        yield from clauses
        whole = (clauses[0][0], clauses[-1][1])
        if len(clauses) > 1 and whole[1] - whole[0] <= _LONGEST:
            yield whole


@dataclass(frozen=True)
class _Marked:
    """A figure or name whose role a clause tells: where it begins, its kind, and the clause with a mark for it."""

    start: int
    kind: str
    text: str


_KINDS = {Dimension.NUMBER: "index", Dimension.MUNICIPALITY: "count", Dimension.YEN: "amount"}


def _marked_names(message: Message, names: Iterable[tuple[int, int]]) -> Iterator[_Marked]:
    """Each name that is the only one in a clause that asks nothing: of two, it does not tell which it sets apart."""
    names = tuple(names)
    in_clause = Counter(message.clause_at(start).number for start, _ in names)
    for start, end in names:
        clause = message.clause_at(start)
        if in_clause[clause.number] > 1 or clause.number in message.asking:
            continue
        text = message.text[clause.start : start] + FIGURE + message.text[end : max(end, clause.end)]
        yield _Marked(start, "program", text.strip("。、 "))


def _marked_figures(message: Message) -> Iterator[_Marked]:
    """Each figure that is the only one of its kind in its clause: of two, a clause does not tell which is whose.

    An amount in a clause that asks needs no telling: it is what is asked about.
    """
    for clause in message.clauses:
        inside = [f for f in message.figures if clause.start <= f.start < clause.end]
        for dimension, kind in _KINDS.items():
            of_it = [f for f in inside if f.dimension is dimension]
            if len(of_it) == 1 and not (kind == "amount" and clause.number in message.asking):
                before, after = message.text[clause.start : of_it[0].start], message.text[of_it[0].end : clause.end]
                unit = message.text[of_it[0].start : of_it[0].end].lstrip(_DIGITS) if kind == "count" else ""
                yield _Marked(of_it[0].start, kind, (before + FIGURE + unit + after).strip("。、 "))


_DIGITS = "0123456789,.〇一二三四五六七八九十百"


def weigh(admitted: Admitted, likenesses: Mapping[Fact, tuple[Likeness, ...]], scene: Scene) -> Admitted:
    """What is believed when two have read.

    What only one of them read is believed. Where they differ, a likeness that is very sure is: measured, it is then
    right ten times as often; one that is less sure leaves the fact open, and it is asked. It knows nothing of several
    bodies, though, so it gives way to a body that is plainly put as the one that applies, and is left out where it
    stands in words of another.
    """
    facts, still_open = dict(admitted.facts), set(admitted.open)
    for fact, (like, *others) in likenesses.items():
        read, value = facts.get(fact), _meant(like)
        if any(tells_nothing(like, scene) for tells_nothing in _TELLING_NOTHING):
            continue
        told = {_meant(one) for one in (like, *others)}
        if read is not None and (len(told) > 1 or read.value in told or _stays(read, like, scene)):
            continue
        doubted = read is not None and like.confidence < VERY_SURE
        if like.value in _UNKNOWN or (doubted and fact not in _LIGHTLY_MISTAKEN):
            facts.pop(fact, None)
            still_open.add(fact)
        elif read is None and fact in still_open:
            continue
        elif not doubted:
            facts[fact] = Reading(fact, value, like.start, like.end, by=BY_LIKENESS)
    kind, invested = facts.get(Fact.APPLICANT_KIND), facts.get(Fact.INVESTMENT_OR_NONPROFIT)
    if kind and invested and (kind.value, invested.value) == (ApplicantKind.COMPANY, "invested"):
        facts[Fact.APPLICANT_KIND] = replace(kind, value=ApplicantKind.INVESTED_CORPORATION)
    return replace(admitted, facts=facts, open=frozenset(still_open))


def _asks_if_required(like: Likeness, scene: Scene) -> bool:
    """Whether it is only asked if something is needed, and told of nobody: 市町村の数は増やす必要がありますか."""
    asks = scene.message.clause_at(like.end - 1).number in scene.message.asking
    return like.fact in _REQUIRED and asks and scene.message.says("requirement", start=like.start, end=like.end)


_REQUIRED = frozenset({Fact.MUNICIPALITY_COUNT, Fact.RECOMMENDATION, Fact.JOINT_PROJECT, Fact.PARTNERSHIP})


def _meant(like: Likeness) -> str:
    return _MEANS.get((like.fact, like.value), like.value)


_LIGHTLY_MISTAKEN = frozenset({Fact.MUNICIPALITY_COUNT, Fact.PARTNERSHIP, Fact.MEETING_MODE, Fact.DISPATCH_YEAR})
"""Facts of which a likeness below `VERY_SURE` is mistaken as often as the words."""


def _stays(read: Reading, like: Likeness, scene: Scene) -> bool:
    """Whether what was read is believed against a likeness."""
    if read.by == CONFIRMED or (read.value == "awaited" and like.value in ("none", "neither")):
        return True  # 推薦はまだもらってません
    if like.fact is Fact.FISCAL_INDEX:
        return not (like.value == "below" and read.value == "1")  # 1まで行きません
    if like.fact is Fact.APPLICANT_KIND and any(body.applies for body in scene.applicants):
        return True
    if like.fact is Fact.APPLICANT_KIND and any(body.plainly for body in scene.applicants):
        return like.confidence < _SURER_THAN_PLAIN_WORDS or read.value in _AS_GOOD.get((like.fact, like.value), ())
    if like.value in _BY_WHOM and _names_who_recommends(read, scene):
        return True
    order = STRONGEST.get(like.fact, ())
    apart = not (like.start <= read.start and read.end <= like.end)  # other words, or words that go on
    if apart and read.value in order and like.value in order and order.index(read.value) < order.index(like.value):
        return True  # one recommender refused, another agreed
    return (
        read.by == "figures"
        or like.fact is Fact.MEETING_MODE
        or read.value in _AS_GOOD.get((like.fact, like.value), ())
    )


_BY_WHOM = frozenset({"local_government", "regional_bureau", "elsewhere"})


def _names_who_recommends(read: Reading, scene: Scene) -> bool:
    """Whether a recommendation was read with the body that gives it: its name tells more than a likeness."""
    clauses = [clause for clause in scene.message.clauses if clause.start < read.end and read.start < clause.end]
    return read.slot == Fact.RECOMMENDATION and any(
        body.part is Part.RECOMMENDER and body.clause in clauses for body in scene.bodies
    )


def _is_of_one_of_several(like: Likeness, scene: Scene) -> bool:
    """Whether it is the kind of one of several bodies: which of them applies, a likeness does not tell."""
    kinds = {body.kind for body in scene.bodies if like.start <= body.start < like.end}
    return like.fact is Fact.APPLICANT_KIND and len(kinds) > 1


def _has_nothing_to_say_it(like: Likeness, scene: Scene) -> bool:
    """Whether no word stands there that could say it: a body for a kind, the index or a number for an index."""
    message = scene.message
    if like.fact is Fact.FISCAL_INDEX:
        numbers = [f for f in message.figures if f.dimension is Dimension.NUMBER and like.start <= f.start < like.end]
        return not numbers and not message.says("index", start=like.start, end=like.end)
    if like.fact is Fact.APPLICANT_KIND:
        named = any(like.start <= body.start < like.end for body in scene.bodies)
        return not named and not message.unread(message.text[like.start : like.end])
    return False


def _is_of_counts(like: Likeness, scene: Scene) -> bool:
    """Whether it is how several counts compare that stand there in figures: which is more, a likeness does not tell."""
    counted = [
        figure
        for figure in scene.message.figures
        if figure.dimension in (Dimension.MUNICIPALITY, Dimension.NUMBER) and like.start <= figure.start < like.end
    ]
    return like.fact is Fact.MUNICIPALITY_COUNT and len(counted) > 1


def _is_anothers(like: Likeness, scene: Scene) -> bool:
    """Whether the words are said of somebody else than the one that applies (隣の県は選ばれた)."""
    if like.fact in (Fact.APPLICANT_KIND, Fact.JOINT_PROJECT, Fact.SAME_PROJECT, Fact.DISPATCH_YEAR):
        return False
    clauses = scene.message.clauses
    within = [c.end for c in clauses if like.start < c.end < like.end]  # a sentence may tell of two bodies
    owners = [scene.owner_at(end - 1, end) for end in (*within, like.end)]
    return any(owner.whose is Whose.ANOTHER and not scene.is_the_applicants(owner) for owner in owners)


_TELLING_NOTHING = (
    _has_nothing_to_say_it,
    _is_anothers,
    _is_of_one_of_several,
    _asks_if_required,
    _is_of_counts,
)
"""When what a clause is like is not believed of the applicant."""
