"""What a question to a document seeks: its content, the figures that it gives, and the kind of thing it asks for."""

import re
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path

from knowledge.catalog import read_yaml
from knowledge.figures import measure_of, normalize, read_days, read_figures, read_ranges
from knowledge.naming import squeezed
from knowledge.search import Searcher

NOUN = re.compile(r"[一-龠]{2,}|[ァ-ヶー]{2,}|[a-z]{2,}")
"""What shows that a word names something, and something of its own."""

_SHORT_NOUN = re.compile(r"^[一-龠]$")
_FIGURE = re.compile(r"[0-9.,/]+")
_WHOLE = re.compile(r"全部|すべて|全て|一覧|どんな|どのような|挙げて|リスト|それぞれ")
_ALL = re.compile(rf"{_WHOLE.pattern}|何が(?:あ|必要|対象)|何を|種類|必要書類|提出書類")
_ANY_DAY = date(2000, 4, 1)  # days without a year are read as of it
_TOPIC_END = (
    r"(?:は|って|とは|を教えて(?:ください)?|(?:は|が)?知りたい(?:です)?|は(?:何|どう|どれくらい|どのくらい|どれ)[^、。]{0,8})?"
    r"[?。]*$"
)


@dataclass(frozen=True)
class _Kind:
    """A kind of thing that can be sought."""

    asks: re.Pattern[str]
    topic: re.Pattern[str]
    figures: frozenset[str]
    words: re.Pattern[str] | None
    near: re.Pattern[str]

    def is_in(self, text: str) -> bool:
        """Whether a normalised text has such a thing."""
        if self.words and self.words.search(text):
            return True
        if "date" in self.figures and read_days(text, _ANY_DAY):
            return True
        return any(figure.dimension.value in self.figures for figure in read_figures(text))


class Question:
    """A question as it is put to the passages of documents."""

    def __init__(self, text: str, searcher: Searcher) -> None:
        """Read what is sought.

        Args:
            text: the question, without the names of what it is put to.
            searcher: weighs the words.
        """
        self._searcher = searcher
        self._text = normalize(text)
        self._flat = squeezed(text)
        figures = read_figures(self._text)
        self._figures = [(measure_of(figure, self._text), figure.value) for figure in figures]
        beside = self._text
        for figure in reversed(figures):
            beside = f"{beside[: figure.start]} {beside[figure.end :]}"
        words = [word for word in searcher.terms(_WHOLE.sub(" ", beside)) if not _FIGURE.fullmatch(word)]
        self.seeks = tuple(
            kind for kind in _load_kinds() if kind.asks.search(self._text) or kind.topic.search(self._text)
        )
        self._parts = {word: parts for word in words if (parts := searcher.parts_of_unknown(word))}
        nouns = [word for word in words if NOUN.search(word) or _SHORT_NOUN.match(word)]
        self._words = nouns or ([] if self.seeks else words)
        self.wants_all = bool(_ALL.search(self._text))

    def covered_by(self, text: str, without: Collection[str] = ()) -> float:
        """The share of the question's content that a text holds; 1 where it has none. `without` is not counted."""
        words = [word for word in self._words if not any(self._searcher.covered(word, told) for told in without)]
        return self._searcher.covered(self._asked_of(text, words), text) if words else 1.0

    def share(self, text: str) -> float:
        """The share of the question's content that a text holds; 0 where it has none."""
        return self._searcher.covered(self._asked_of(text, self._words), text) if text and self._words else 0.0

    def _asked_of(self, text: str, words: Sequence[str]) -> str:
        """The words as they are put to a text: a compound that no passage has by its parts, where all stand there."""
        normal = normalize(text)
        parted = {word: parts for word, parts in self._parts.items() if all(part in normal for part in parts)}
        return " ".join(part for word in words for part in parted.get(word, (word,)))

    def likeness(self, question: str) -> float:
        """How much another question has in common with this one, from both sides (0..1)."""
        return (self._searcher.covered(self._text, question) + self._searcher.covered(question, self._text)) / 2

    def names(self, value: str) -> bool:
        """Whether a cell's value stands in the question."""
        flat = squeezed(value)
        return len(flat) > 1 and flat in self._flat

    def is_figure(self, value: str) -> bool:
        """Whether a cell states a figure or a day rather than a name."""
        text = normalize(value)
        return bool(read_figures(text) or read_days(text, _ANY_DAY))

    def range_in(self, text: str) -> bool | None:
        """Whether a range in a text holds a figure of the question; None where they count other things.

        An amount of money bounds only the row that it alone names: elsewhere it is what is given.
        """
        normal = normalize(text)
        results = []
        for found in read_ranges(normal):
            alone = found.end - found.start >= len(normal) / 2
            if found.measure == "yen" and not (alone and not found.is_one):
                continue
            for measure, value in self._figures:
                if measure == found.measure and (not found.is_one or alone or found.holds(value)):
                    results.append(found.holds(value))
        return any(results) if results else None

    def is_held_in(self, text: str) -> bool:
        """Whether a text has everything that is sought."""
        normal = normalize(text)
        return all(kind.is_in(normal) for kind in self.seeks)

    def is_held_in_cell(self, name: str, value: str) -> bool:
        """Whether a cell has everything that is sought; the unit of its figure may stand in its column's heading."""
        text, heading = normalize(value), normalize(name)
        return all(kind.is_in(text) or (kind.near.search(heading) and read_figures(text)) for kind in self.seeks)

    def is_near(self, text: str) -> bool:
        """Whether a text is where what is sought usually stands."""
        normal = normalize(text)
        return all(kind.near.search(normal) for kind in self.seeks)


@cache
def _load_kinds() -> tuple[_Kind, ...]:
    """Reads sought.yaml."""
    path = Path(__file__).parents[1] / "knowledge" / "sought.yaml"
    return tuple(
        _Kind(
            re.compile(entry["asks"]),
            re.compile(f"(?:{entry['topic']}){_TOPIC_END}"),
            frozenset(entry["figures"]),
            re.compile(entry["words"]) if entry["words"] else None,
            re.compile(entry["near"]),
        )
        for entry in read_yaml(path)
    )
