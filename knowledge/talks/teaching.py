"""What the reader of talks is taught by: talks by people, clauses, cases, and talks put together from clauses."""

import hashlib
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import yaml

from knowledge.talks.composing import Composer
from knowledge.talks.slots import PROGRAM, SLOTS, UNSAID, WANTED

_KNOWLEDGE = Path(__file__).parents[1]
EXAMPLES = Path(__file__).parent / "examples"
CASES = Path(__file__).parent / "cases"

_GOES_ON = " → "  # stands between a message and the one before it

_COMPOSED = 3000
_COMPOSED_WEIGHT = 0.7
_SAID_WEIGHT = 2.5  # of what a talk says, against what it leaves unsaid
_CLAUSE_WEIGHT = 0.5
_CASE_WEIGHTS = {PROGRAM: 0.3, WANTED: 0.7}
_WANTED_WEIGHT = 2.0

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
    """Messages, and what is told of some of the slots: the value, and how much it counts."""

    turns: tuple[str, ...]
    told: Mapping[str, tuple[str, float]]


def examples_digest() -> str:
    """Tells what something was learnt of from what it was changed into."""
    digest = hashlib.sha256()
    for file in (*sorted(EXAMPLES.glob("*.jsonl")), *sorted(CASES.glob("*.yaml"))):
        digest.update(file.read_bytes())
    return digest.hexdigest()


def load_talks(file: Path) -> Iterator[Lesson]:
    """The talks of a file, each of which tells of every slot. Raises ValueError where a value is none of its slot's."""
    for number, line in enumerate(file.read_text(encoding="utf-8").splitlines(), 1):
        talk = json.loads(line)
        said: dict[str, str] = talk["says"]
        told = {s: (said.get(s, UNSAID), _SAID_WEIGHT if s in said else 1.0) for s in SLOTS}
        told[WANTED] = (talk["wanted"], _WANTED_WEIGHT)
        told[PROGRAM] = (talk["program"], 1.0)
        if talk["program"] is None:  # of none of ours, or of several
            del told[PROGRAM]
        strange = [(slot, value) for slot, (value, _) in told.items() if value not in SLOTS[slot]]
        if strange or not said.keys() <= SLOTS.keys():
            raise ValueError(f"{file.name}:{number} has values that no slot has: {strange or list(said)}")
        yield Lesson(tuple(talk["turns"]), told)


def load_examples() -> list[Lesson]:
    """Everything that is learnt from, in the order of the files."""
    talks = [talk for file in sorted(EXAMPLES.glob("*.jsonl")) for talk in load_talks(file)]
    return [*talks, *_cases(), *_clauses(), *_composed()]


def _composed() -> Iterator[Lesson]:
    composer = Composer(_OF_CLAUSES)
    for number in range(_COMPOSED):
        turns, told = composer.compose(number)
        yield Lesson(turns, {slot: (value, _COMPOSED_WEIGHT) for slot, value in told.items()})


def _cases() -> Iterator[Lesson]:
    for file in sorted(CASES.glob("*.yaml")):
        for asks, texts in yaml.safe_load(file.read_text(encoding="utf-8")).items():
            wanted = "budget" if (file.stem, asks) == ("suishin", "cap") else asks
            told = {PROGRAM: (file.stem, _CASE_WEIGHTS[PROGRAM]), WANTED: (wanted, _CASE_WEIGHTS[WANTED])}
            yield from (Lesson(tuple(text.split(_GOES_ON)), told) for text in texts)


def _clauses() -> Iterator[Lesson]:
    for fact, slots in _OF_CLAUSES.items():
        file = _KNOWLEDGE / "clauses" / "examples" / f"{fact}.yaml"
        for value, texts in yaml.safe_load(file.read_text(encoding="utf-8")).items():
            means = {slot: UNSAID if value == "aside" else names.get(value, value) for slot, names in slots.items()}
            told = {slot: (one, _CLAUSE_WEIGHT) for slot, one in means.items() if one in SLOTS[slot]}
            yield from (Lesson((text,), told) for text in texts)
