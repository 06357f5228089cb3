"""What a message asks: the subjects whose cues (subjects.yaml) stand together in one of its sentences."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from itertools import pairwise, product
from pathlib import Path
from typing import Literal

from pydantic import TypeAdapter

from bot.understanding.message import Message
from knowledge.catalog import read_yaml
from knowledge.lexicon import Mention
from knowledge.matters import NONE
from knowledge.types import ApplicantKind, Strict, Subject, Unit

Which = Literal["stated", "most", "least"]


@dataclass(frozen=True)
class SubjectCues(Strict):
    """How a subject is asked for: each cue is a list of concepts that stand together in a sentence.

    One that is only `compared` is asked of several programs, and never of one by itself. `which` begins the sentence
    that names the programs for which it is stated, in `which_unit` where that is given, or that have the most or the
    least of it.
    """

    subject: Subject
    label: str
    asked_by: tuple[tuple[str, ...], ...]
    examples: tuple[str, ...]
    compared: bool = False
    which: Mapping[Which, str] = field(default_factory=dict)
    which_unit: Unit | None = None
    shows: bool = False
    shown_by: tuple[str, ...] = ()


@dataclass(frozen=True)
class AskedSubject:
    """A subject that is asked for, with the words that ask it and the sentence that they stand in."""

    subject: Subject
    start: int
    end: int
    sentence: int
    words: frozenset[int]
    shows: bool


@cache
def load_subjects() -> tuple[SubjectCues, ...]:
    """Reads subjects.yaml, in the order in which its subjects go before each other."""
    path = Path(__file__).parents[2] / "knowledge" / "subjects.yaml"
    return TypeAdapter(tuple[SubjectCues, ...]).validate_python(read_yaml(path))


@cache
def compared_only() -> frozenset[Subject]:
    """The subjects that are asked of several programs, and never of one by itself."""
    return frozenset(cues.subject for cues in load_subjects() if cues.compared)


def subjects_asked(message: Message) -> tuple[AskedSubject, ...]:
    """What each sentence asks, in order of asking: of cues that share their words, the one that takes in more."""
    found: list[AskedSubject] = []
    for sentence in sorted({clause.sentence for clause in message.clauses}):
        clauses = [clause for clause in message.clauses if clause.sentence == sentence]
        mentions = message.saying(*_concepts(), start=clauses[0].start, end=clauses[-1].end)
        found += _undominated(_matching(message, mentions, sentence))
    return tuple(sorted(found, key=lambda asked: asked.start))


_MEANS: Mapping[str, tuple[Subject, ...]] = {
    **{subject.value: (subject,) for subject in Subject},
    "amount": (Subject.CAP,),
    "length": (Subject.CAP,),
    "who": (Subject.ELIGIBILITY,),
    "index_limit": (Subject.INDEX_LIMIT,),
    "window": (Subject.WINDOW, Subject.DEADLINE),
}
"""The subjects that clauses of the examples ask for: the first, where words do not tell which."""


def as_taught(
    subjects: tuple[Subject, ...], told: Mapping[str, float], asks: bool, plainly: frozenset[Subject]
) -> tuple[Subject, ...]:
    """What is asked, when talks have taught what a last message wants decided (probabilities 0–1).

    It is asked where the words ask nothing; where they ask something else, that must be possible beside it, or be asked
    in plain words (`plainly`). Who `asks` and surely puts no case does not ask whether somebody can apply, though the
    words that do are said (出すのは市ですか).
    """
    wanted = surely_wanted(told)
    if not wanted:
        return subjects
    if wanted == NONE:
        doubted = {Subject.ELIGIBILITY} - plainly if asks else frozenset()
        return tuple(subject for subject in subjects if subject not in doubted)
    subject = Subject(wanted)
    others = [one for one in subjects if one is not subject]
    others = [one for one in others if one in plainly or told.get(one, 1.0) >= _POSSIBLE]
    names_another = (plainly - {Subject.ELIGIBILITY}) & set(others)
    return tuple(others) if names_another and subject not in subjects else (subject, *others)


def surely_wanted(told: Mapping[str, float]) -> str:
    """The subject that messages have taught that a case is surely put to, NONE for none at all; "" where not sure."""
    wanted, likely = max(told.items(), key=lambda share: share[1], default=(NONE, 0.0))
    needed = SURELY_NONE if wanted == NONE else TAUGHT
    return _SUBJECT_OF.get(wanted, wanted) if likely >= needed else ""


_SUBJECT_OF: Mapping[str, Subject] = {ApplicantKind.SUPPORT_PROVIDER: Subject.ELIGIBILITY}
"""The subjects that what is learnt under another name is decided by."""


TAUGHT = 0.85
"""From this probability on, what a message wants decided is believed."""

SURELY_NONE = 0.95
"""The same of a message that wants no case decided."""

_POSSIBLE = 0.1
"""Below this probability, what the words seem to ask is not asked where something else surely is."""


@cache
def _concepts() -> frozenset[str]:
    return frozenset(concept for cues in load_subjects() for cue in cues.asked_by for concept in cue)


def _matching(message: Message, mentions: Sequence[Mention], sentence: int) -> list[AskedSubject]:
    by_concept: dict[str, list[Mention]] = {}
    for mention in mentions:
        for concept in mention.concepts:
            by_concept.setdefault(concept, []).append(mention)
    found = []
    for cues in load_subjects():
        best: AskedSubject | None = None
        for cue in cues.asked_by:
            for chosen in product(*(by_concept.get(concept, ())[:3] for concept in cue)):
                words = frozenset(m.first for m in chosen)
                if len(words) < len(cue) or _are_listed(message, chosen):
                    continue
                shows = cues.shows and (not cues.shown_by or bool(set(cues.shown_by) & set(cue)))
                start, end = min(m.start for m in chosen), max(m.end for m in chosen)
                asked = AskedSubject(cues.subject, start, end, sentence, words, shows)
                if best is None or (len(words), -(asked.end - asked.start)) > (
                    len(best.words),
                    -(best.end - best.start),
                ):
                    best = asked
        if best:
            found.append(best)
    return found


def _are_listed(message: Message, mentions: Sequence[Mention]) -> bool:
    """Whether two of these are things of a list, each asked for by itself: 期間・上限・申請者で比べて."""
    placed = sorted(mentions, key=lambda mention: mention.start)
    return any(message.text[one.end : other.start] == "・" for one, other in pairwise(placed))


def _undominated(found: Sequence[AskedSubject]) -> list[AskedSubject]:
    order = {cues.subject: at for at, cues in enumerate(load_subjects())}
    return [
        asked
        for asked in found
        if not any(
            (asked.words < other.words) or (asked.words == other.words and order[other.subject] < order[asked.subject])
            for other in found
            if other is not asked
        )
    ]
