"""What the reader of talks is taught by: talks by people, clauses, cases, and talks put together from clauses."""

import hashlib
import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from knowledge.catalog import load_catalog
from knowledge.figures import Figure
from knowledge.matters.classifying import NONE
from knowledge.matters.learning import load_written, wordings_digest
from knowledge.talks.asked import asked_by, by_rules, programs_of_asked
from knowledge.talks.asking import Asker
from knowledge.talks.composing import CLAUSES, Composer
from knowledge.talks.roles import marked_in, without_marks
from knowledge.talks.slots import PROGRAM, SLOTS, UNSAID, WANTED
from knowledge.types import Subject

EXAMPLES = Path(__file__).parent / "examples"
CASES = Path(__file__).parent / "cases"

_GOES_ON = " → "  # stands between a message and the one before it

_COMPOSED = 1500
_COMPOSED_WEIGHT = 0.7
_SAID_WEIGHT = 2.5  # of what a talk says, against what it leaves unsaid
_CLAUSE_WEIGHT = 0.5
_CASE_WEIGHTS = {PROGRAM: 0.3, WANTED: 0.7}
_WANTED_WEIGHT = 2.0
_WORDING_WEIGHT = 0.5
_ALL_ASKED: Mapping[str, float] = dict.fromkeys(("", *load_catalog().programs), 2.0)
_SUBJECTS: Mapping[str, str] = {"budget": Subject.CAP, "support_provider": Subject.ELIGIBILITY}
"""The subjects of rules that decide what is wanted under another name."""

_OF_CLAUSES: Mapping[str, Mapping[str, Mapping[str, str]]] = {
    "applicant_kind": {
        "applicant": {
            "local_government_association": "association",
            "invested_corporation": "invested",
            "support_provider": "provider",
            "voluntary_group": "voluntary",
            "national_agency": "national",
            "regional_bureau": "bureau",
        }
    },
    "fiscal_index": {"index": {"above": "at_or_above", "unknown": "unclear"}},
    "investment_or_nonprofit": {
        "invested": {"invested": "yes", "neither": "no", "awaited": "unclear", "unknown": "unclear"},
        "nonprofit": {"nonprofit": "yes"},
    },
    "joint_project": {
        "joint": {"with_recommender": "recommender", "with_other": "other", "some": "recommender", "awaited": "unclear"}
        | {"none": "no"}
    },
    "meeting_mode": {"mode": {"mixed": "both"}},
    "municipality_count": {"count": {"undecided": "unclear"}},
    "partnership": {"with": {"joint": "municipalities", "through_prefecture": "municipalities"}},
    "past_selection": {"selected": {"selected": "yes", "applied_not_selected": "applied", "unknown": "unclear"}},
    "recommended_by_local_government": {
        "recommended": {"local_government": "yes", "regional_bureau": "yes", "none": "no"}
        | {"awaited": "unclear", "unknown": "unclear"}
    },
}
"""Of the facts of clauses, the slots that they tell of, with the values that are named otherwise there."""


@dataclass(frozen=True)
class Lesson:
    """Messages, and what is told of some of the slots: the value, and how much it counts.

    `asked` is what the last message asks (asked.py), as far as it is of the programs `asked_of` ("": of none), with how
    much that counts. `figures` are those of which it is told what they are: the message, the figure and its role.
    """

    turns: tuple[str, ...]
    told: Mapping[str, tuple[str, float]]
    asked: frozenset[str] = frozenset()
    asked_of: Mapping[str, float] = field(default_factory=dict)
    figures: tuple[tuple[int, Figure, str], ...] = ()

    def tells_of(self, program: str) -> float:
        """How much it counts what is asked of a program, 0 where nothing is told of it."""
        return self.asked_of.get(program, 0.0)


def examples_digest() -> str:
    """Tells what something was learnt of from what it was changed into."""
    digest = hashlib.sha256()
    for file in (*sorted(EXAMPLES.glob("*.jsonl")), *sorted(CASES.glob("*.yaml"))):
        digest.update(file.read_bytes())
    digest.update(wordings_digest().encode())
    return digest.hexdigest()


def load_talks(file: Path) -> Iterator[Lesson]:
    """The talks of a file, each of which tells what is asked, or of every slot, or both.

    Raises ValueError where a value is none of its slot's, or where something is asked that has no name.
    """
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        talk = json.loads(line)
        told = _told_of_slots(talk) if "says" in talk else {}
        asked = asked_in(talk)
        if talk["program"] is not None:  # else of none of ours, or of several
            told[PROGRAM] = (talk["program"], 1.0)
        strange = [(slot, value) for slot, (value, _) in told.items() if value not in SLOTS.get(slot, ())]
        unknown = (asked or frozenset()) - programs_of_asked().keys()
        if strange or unknown:
            raise ValueError(f"{file.name}:{number} has values that no slot has: {strange or sorted(unknown)}")
        turns = tuple(map(without_marks, talk["turns"]))
        figures = tuple((n, *marked) for n, turn in enumerate(talk["turns"]) for marked in marked_in(turn))
        yield Lesson(turns, told, asked or frozenset(), {} if asked is None else _ALL_ASKED, figures)


def _told_of_slots(talk: Mapping[str, Any]) -> dict[str, tuple[str, float]]:
    said: Mapping[str, str] = talk["says"]
    told = {slot: (UNSAID, 1.0) for slot in SLOTS if slot != PROGRAM}
    told |= {slot: (value, _SAID_WEIGHT) for slot, value in said.items()}
    return told | {WANTED: (talk["wanted"], _WANTED_WEIGHT)}


def asked_in(talk: Mapping[str, Any]) -> frozenset[str] | None:
    """What a talk of a file asks: what its line says, else what it wants decided; None where it does not tell."""
    if "asks" in talk:
        return frozenset(talk["asks"])
    if talk["program"] is None or talk["wanted"] == "none":
        return None
    return frozenset({wanted_by_rules(talk["program"], talk["wanted"])})


def wanted_by_rules(program: str, wanted: str) -> str:
    """The name of what is asked where a value of the slot `wanted` is."""
    return by_rules(program, _SUBJECTS.get(wanted, wanted))


def load_examples() -> list[Lesson]:
    """Everything that is learnt from, in the order of the files."""
    talks = [talk for file in sorted(EXAMPLES.glob("*.jsonl")) for talk in load_talks(file)]
    return [*talks, *_cases(), *_clauses(), *_composed(), *_wordings()]


def _composed() -> Iterator[Lesson]:
    composer = Composer(_OF_CLAUSES)
    for number in range(_COMPOSED):
        turns, told = composer.compose(number)
        yield Lesson(turns, {slot: (value, _COMPOSED_WEIGHT) for slot, value in told.items()})


def _wordings() -> Iterator[Lesson]:
    asker = Asker({id: _named(id, load_written(id)) for id in load_catalog().programs})
    for turns, asked, program, alone in asker.compose():
        asked_of = dict.fromkeys([program], _WORDING_WEIGHT) if alone else dict.fromkeys(_ALL_ASKED, _WORDING_WEIGHT)
        told = {} if alone else {PROGRAM: (program, _WORDING_WEIGHT)}
        yield Lesson(turns, told, asked, asked_of)


def _named(program: str, wordings: Iterable[tuple[str, str]]) -> list[tuple[str, str]]:
    """Wordings with the names of what they ask for."""
    names = {entry.id: asked_by(program, entry) for entry in load_catalog().faq[program]}
    return [(names[entry], text) for entry, text in wordings if entry in names]


def _cases() -> Iterator[Lesson]:
    for file in sorted(CASES.glob("*.yaml")):
        for asks, texts in yaml.safe_load(file.read_text(encoding="utf-8")).items():
            wanted = "budget" if (file.stem, asks) == ("suishin", "cap") else asks
            told = {PROGRAM: (file.stem, _CASE_WEIGHTS[PROGRAM]), WANTED: (wanted, _CASE_WEIGHTS[WANTED])}
            asked = frozenset({wanted_by_rules(file.stem, wanted)} if wanted != NONE else ())
            asked_of = {file.stem: _CASE_WEIGHTS[WANTED]} if asked else {}
            yield from (Lesson(tuple(text.split(_GOES_ON)), told, asked, asked_of) for text in texts)


def _clauses() -> Iterator[Lesson]:
    for fact, slots in _OF_CLAUSES.items():
        file = CLAUSES / "examples" / f"{fact}.yaml"
        for value, texts in yaml.safe_load(file.read_text(encoding="utf-8")).items():
            means = {slot: UNSAID if value == "aside" else names.get(value, value) for slot, names in slots.items()}
            told = {slot: (one, _CLAUSE_WEIGHT) for slot, one in means.items() if one in SLOTS[slot]}
            yield from (Lesson((text,), told) for text in texts)
