"""The ways to say each part, and the words that they are filled with, from `phrases/*.yaml`."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import yaml

FOLDER = Path(__file__).parent / "phrases"
Ways = dict[str, list[str]]


def _read(name: str) -> dict[str, list[str]]:
    return yaml.safe_load((FOLDER / name).read_text(encoding="utf-8"))  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Words:
    """Small lists beside the ways.

    Attributes:
        programs: names of each program.
        nouns: nouns for each kind of body, for corrections.
        ours: a way that holds one of these says whose its facts are.
        not_first: beginnings that nothing begins with.
        earlier_years: names of fiscal years before the present one.
        joiners: what stands between two clauses.
        typos: words and how they come out when typed in a hurry.
        asked: for each fact, the names under which the bot may miss it.
    """

    programs: dict[str, list[str]]
    nouns: dict[str, list[str]]
    ours: list[str]
    not_first: list[str]
    earlier_years: list[str]
    joiners: list[str]
    typos: dict[str, str]
    asked: dict[str, list[str]]

    def fact(self, missing: str) -> str:
        """The fact that the bot misses; its own name for it where we have none."""
        return next((fact for fact, names in self.asked.items() if missing in names), missing)


def _first() -> Ways:
    names = sorted(path.name for path in FOLDER.glob("*.yaml") if path.name not in ("words.yaml", "later.yaml"))
    return {part: ways for name in names for part, ways in _read(name).items()}


FIRST = _first()
LATER = _read("later.yaml")
WORDS = Words(
    programs={part.removeprefix("program."): names for part, names in FIRST.items() if part.startswith("program.")},
    **_read("words.yaml"),  # type: ignore[arg-type]
)


def leads_on(way: str) -> bool:
    """Whether a way is the first half of a sentence."""
    return way.endswith("、")


def carries_on(way: str) -> bool:
    """Whether a way begins like something that follows on something else."""
    return way.startswith(tuple(WORDS.not_first))


def points_back(way: str) -> bool:
    """Whether a way speaks of "this", so that it must follow what it speaks of."""
    return any(word in way for word in ("この", "こう", "これ", "ここ"))


def tells_whose(way: str) -> bool:
    """Whether a way says that its facts are the writer's."""
    return any(word in way for word in WORDS.ours) or "{own}" in way or "{office}" in way


def pick(ways: Ways, part: str, rng: Random, *fits: Callable[[str], bool]) -> str | None:
    """One way to say a part that fits; None where none does."""
    choices = [way for way in ways[part] if all(fit(way) for fit in fits)]
    return rng.choice(choices) if choices else None


def literal_share(texts: list[str], ways: Ways) -> float:
    """The share of ways that stand in one of the texts word by word, what is filled in left out."""
    all_ways = [way for part, ways_of_it in ways.items() if not part.startswith("program.") for way in ways_of_it]
    found = sum(any(all(piece in text for piece in _pieces(way)) for text in texts) for way in all_ways)
    return found / len(all_ways)


def _pieces(way: str) -> Iterator[str]:
    for piece in way.replace("}", "{").split("{")[::2]:
        if piece.strip("、。?？ "):
            yield piece.strip("、。?？ ")
