"""Which questions ask the same. Pure: it compares what was read of them, and knows neither index nor database."""

import base64
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import numpy.typing as npt

_SAME = 0.42
"""From this closeness on, a question of which no more than its words is known is the same as one with an entry."""

_SAME_RULED = 0.57
"""The same where rules decided one of the two: what they decide is near to much that only goes with it."""

_SAME_UNKNOWN = 0.32
"""The same where nothing more is known of either: what no rule and no entry answers is rarer, and further apart."""

_SHARE = 1 / 3
"""The part of a group's questions that a question must be the same as: one that was misread draws no others to it."""

_WORDS = 0.3
"""What the share of common words adds to the likeness of the vectors."""

_WHO = "applicant_kind="
"""The one fact that people leave out where the rest of their case is told."""


@dataclass(frozen=True)
class Meaning:
    """What a question asks.

    `programs` it is about, `matter` what was decided or found for it: rules ("keikaku/cap"; `ruled` tells so), else an
    entry of the FAQ, else nothing. `asked` is what its words alone likely ask. `case` are the facts that the rules turn
    on, the figures, and the marks that tell a question from one that looks like it. `words` are its content words with
    their weights; `vector` is the encoder's, of length 1, without what all questions have in common.
    """

    programs: frozenset[str]
    matter: frozenset[str]
    ruled: bool
    asked: frozenset[str]
    case: frozenset[str]
    words: Mapping[str, float]
    vector: npt.NDArray[np.float32] = field(compare=False)

    def as_json(self) -> dict[str, Any]:
        """The meaning as it is stored."""
        packed = base64.b64encode(self.vector.astype(np.float16).tobytes()).decode()
        sets = {name: sorted(getattr(self, name)) for name in ("programs", "matter", "asked", "case")}
        words = {word: round(weight, 2) for word, weight in self.words.items()}
        return {**sets, "ruled": self.ruled, "words": words, "vector": packed}


def meaning_of(stored: Mapping[str, Any]) -> Meaning:
    """A meaning from its stored form."""
    return Meaning(
        programs=frozenset(stored["programs"]),
        matter=frozenset(stored["matter"]),
        ruled=stored["ruled"],
        asked=frozenset(stored.get("asked", ())),  # none in a session that began before it was read
        case=frozenset(stored["case"]),
        words=stored["words"],
        vector=np.frombuffer(base64.b64decode(stored["vector"]), dtype=np.float16).astype(np.float32),
    )


def alike(one: Meaning, other: Meaning) -> bool:
    """Whether two questions ask the same.

    Never where they are about different programs, put different cases, or were decided by different rules.
    """
    if one.programs != other.programs and one.programs and other.programs:
        return False
    if one.case != other.case and not _differ_in_who_alone(one.case, other.case):
        return False
    if one.matter & other.matter:
        return True
    if one.ruled and other.ruled:
        return False
    if one.asked & other.asked:
        return True
    if one.ruled or other.ruled:
        return _closeness(one, other) >= _SAME_RULED
    return _closeness(one, other) >= (_SAME if one.matter or other.matter else _SAME_UNKNOWN)


def _closeness(one: Meaning, other: Meaning) -> float:
    """How near two questions are by their words alone: 1 and more for the same words, about 0 for unlike ones."""
    shared = sum(one.words[word] for word in one.words.keys() & other.words.keys())
    every = sum(one.words.values()) + sum(other.words.values()) - shared
    return float(np.dot(one.vector, other.vector)) + _WORDS * (shared / every if every else 0)


def _differ_in_who_alone(one: frozenset[str], other: frozenset[str]) -> bool:
    """Whether one leaves out who applies, and both put the same case beside that."""
    differing = one ^ other
    return bool(one & other) and len(differing) == 1 and all(fact.startswith(_WHO) for fact in differing)


def find_groups(meaning: Meaning, groups: Mapping[int, Sequence[Meaning]]) -> list[int]:
    """The groups that a question belongs to: first the one with most that ask the same, then those of the same matter.

    A group has none whose case is another. Where there are several, it takes this question to see that they are one.

    Args:
        meaning: of the question.
        groups: what the questions of each group mean.
    """
    fits = {
        group: sum(alike(meaning, member) for member in members)
        for group, members in groups.items()
        if _belong([meaning], members)
    }
    found: list[int] = []
    together = [meaning]
    for group in sorted(fits, key=lambda group: -fits[group]):
        if _belong(together, groups[group]):
            found.append(group)
            together += groups[group]
    return found


def _belong(some: Sequence[Meaning], others: Sequence[Meaning]) -> bool:
    """Whether enough of some questions are the same as others, and none puts another case."""
    if any(_against(one, others) for one in some):
        return False
    same = sum(alike(one, other) for one in some for other in others)
    return same > 0 and same >= _SHARE * len(some) * len(others)


def _against(meaning: Meaning, members: Iterable[Meaning]) -> bool:
    return any(
        (member.programs and meaning.programs and member.programs != meaning.programs)
        or (member.case != meaning.case and not _differ_in_who_alone(member.case, meaning.case))
        for member in members
    )
