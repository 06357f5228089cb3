"""What a question to a document seeks: its content, the figures that it gives, and the kind of thing it asks for."""

import re
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from functools import cache
from pathlib import Path

from knowledge.catalog import read_yaml
from knowledge.concepts import load_synonyms
from knowledge.figures import Range, measure_of, normalize, read_days, read_figures, read_ranges
from knowledge.naming import squeezed
from knowledge.search import Searcher

NOUN = re.compile(r"[一-龠]{2,}|[ァ-ヶー]{2,}|[a-z]{2,}")
"""What shows that a word names something, and something of its own."""

_SHORT_NOUN = re.compile(r"^[一-龠]$")
_MAY_MEAN = 0.5
"""What a name must cover of a word, so that the word is no content beside it: more than that it may mean the same."""

_STANDS_IN = 0.8
"""What a synonym counts for at least where it is asked whether a text is about the question at all."""

_FIGURE = re.compile(r"[0-9.,/]+")
_WHOLE = re.compile(r"全部|すべて|全て|一覧|どんな|どのような|挙げて|リスト|それぞれ")
_ALL = re.compile(
    rf"{_WHOLE.pattern}|何が(?:あ|必要|対象)|何を|種類|必要書類|必要な書類|提出書類|添付書類|(?:条件|要件)(?:は|を|って)"
    r"|一番|最も|いちばん"
)
_NO_CONTENT = re.compile(
    rf"{_WHOLE.pattern}|大丈夫|平気|可能|一部|(?<=[ただ])(?:あと|後)(?!者|半)|最[大小長短高低多少](?=で?(?:何|いくら|どれ|どの))|(?<=の)[条要]件(?=は|を|って)"
)
"""What asks, or asks how, and says nothing of what the answer is about."""

_NTH = re.compile(r"第?(?P<number>[0-9]+)(?:回|次|期)(?:募集|公募)?")
_MEASURE = re.compile(r"[率数額費料]")
_MOST = re.compile("一番|最も|いちばん")
_COUNTED = re.compile(
    r"何(?P<unit>年|か月|ヶ月|週間|泊|歳|点|個|本|枚|頁|ページ|mb|級|階|番|丁目|号|条|曜日|課|係|[一-龠]?ごみ|時|分)間?"
)
_ALSO = {
    "年": "年|か?月(?![0-9])",
    "か月": "か?月(?![0-9])|年",
    "ヶ月": "か?月(?![0-9])|年",
    "歳": "歳|才",
    "時": "時|:[0-5][0-9]",
    "頁": "頁|ページ",
}
"""Units in which what is asked for in another one may be told (何年: 60月, and no 7月31日)."""
_NOTHING = re.compile(r"(?!)")
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


class PassageQuestion:
    """A question as it is put to the passages of documents."""

    def __init__(self, text: str, searcher: Searcher, told: str = "") -> None:
        """Read what is sought.

        Args:
            text: the question, without the names of what it is put to.
            searcher: weighs the words.
            told: a name of what it is put to, whose words in the question are no content.
        """
        self._searcher = searcher
        self.text = text
        self._text = normalize(text)
        self._flat = squeezed(text)
        figures = read_figures(self._text)
        self._figures = [(measure_of(figure, self._text), figure.value) for figure in figures]
        beside = self._text
        for figure in reversed(figures):
            beside = f"{beside[: figure.start]} {beside[figure.end :]}"
        self._weights = searcher.terms(_COUNTED.sub(" ", _NO_CONTENT.sub(" ", beside)))
        words = [word for word in self._weights if not (_FIGURE.fullmatch(word) or word.startswith("何"))]
        self._measures: set[str] = set()
        words = self._with_measures(words)
        self.seeks = tuple(
            kind for kind in _load_kinds() if kind.asks.search(self._text) or kind.topic.search(self._text)
        ) or _counted(self._text)
        self._near = {near for kind in self.seeks for near in kind.near.findall(self._text)}
        self._parts = {word: parts for word in words if (parts := searcher.parts_of_unknown(word))}
        nouns = [word for word in words if NOUN.search(word) or _SHORT_NOUN.match(word)]
        nouns = [noun for noun in nouns if not (told and searcher.covered(noun, told) > _MAY_MEAN)] or nouns
        self._words = nouns or ([] if self.seeks else words)
        self._said = [word for word in words if word not in self._words and _says_a_noun(word)]
        self.wants_all = bool(_ALL.search(self._text))
        self.wants_most = bool(_MOST.search(self._text))

    def _with_measures(self, words: list[str]) -> list[str]:
        """The words, a measure with what it measures (採択率), so that neither alone is what is asked."""
        joined: list[str] = []
        for word in words:
            if _MEASURE.fullmatch(word) and joined and f"{joined[-1]}{word}" in self._text:
                before = joined.pop()
                self._weights = {**self._weights, before + word: self._weights[before] + self._weights[word]}
                joined.append(before + word)
                self._measures.add(before + word)
            else:
                joined.append(word)
        return joined

    def is_of_the_same(self, text: str) -> bool:
        """Whether a text has a word for what is sought that the question has too (締切)."""
        normal = normalize(text)
        return any(near in normal for near in self._near)

    def covered_by(self, text: str, without: Collection[str] = ()) -> float:
        """The share of the question's content that a text holds; 1 where it has none. `without` is not counted.

        What the question says in everyday verbs counts where the text has it, or where it names nothing in particular.
        """
        words = [word for word in self._words if not any(self._searcher.covered(word, told) for told in without)]
        if not words:
            return 1.0
        either = (words, [*words, *self._said]) if any(map(NOUN.search, words)) else ([*words, *self._said],)
        return max(self.holds(some, text, _STANDS_IN) for some in either)

    def share(self, text: str) -> float:
        """The share of the question's content that a text holds; 0 where it has none."""
        return self.holds(self._words, text) if text and self._words else 0.0

    def holds(self, words: Sequence[str], text: str, least: float = 0.0) -> float:
        """The share of some words that a text holds, by weight: as they are written, or by what can stand for them.

        A compound that no passage has is looked for by its parts.
        """
        normal = normalize(text)
        written = [word for word in words if len(word) > 1 and word in normal]
        others = [word for word in words if word not in written]
        parted = {
            word: parts for word in others if (parts := self._parts.get(word)) and any(p in normal for p in parts)
        }
        told = [word for word in others if word not in self._measures]
        asked = " ".join(part for word in told for part in parted.get(word, (word,)))
        weigh = self._weights
        whole, here, elsewhere = (sum(weigh[word] for word in some) for some in (words, written, told))
        return (here + elsewhere * self._searcher.covered(asked, text, least)) / whole if whole else 0.0

    def left_by(self, text: str) -> list[str]:
        """The words of the question that a text says nothing of."""
        return [word for word in self._words if not self.holds([word], text)]

    def likeness(self, question: str) -> float:
        """How much another question has in common with this one, from both sides (0..1)."""
        return (self._searcher.covered(self._text, question) + self._searcher.covered(question, self._text)) / 2

    def nearness(self, lines: Sequence[str]) -> list[float]:
        """How near in meaning each line is to the question (0..1)."""
        return [float(near) for near in self._searcher.nearness(self._text, lines)]

    def names(self, value: str) -> bool:
        """Whether a cell's value stands in the question."""
        if _NTH.fullmatch(squeezed(value)):
            return self.is_nth(value)
        flat = squeezed(value).removeprefix("第")  # 2次募集 is one of 第2次
        number = "(?<![0-9])" if flat[:1].isdigit() else ""
        return len(flat) > 1 and bool(re.search(number + re.escape(flat), self._flat))

    def is_nth(self, value: str) -> bool:
        """Whether a cell has the number of a round that the question has, however that is counted (2回目: 第2次)."""
        counted = _NTH.fullmatch(squeezed(value))
        return bool(counted and re.search(rf"(?<![0-9]){counted['number']}(?:回目?|次|期|番目)", self._flat))

    def is_figure(self, value: str) -> bool:
        """Whether a cell states a figure or a day rather than a name."""
        text = normalize(value)
        return bool(read_figures(text) or read_days(text, _ANY_DAY))

    def range_in(self, text: str) -> bool | None:
        """Whether a range in a text holds a figure of the question; None where they count other things."""
        pairs = list(self._ranges_in(text))
        return any(found.holds(value) for found, value in pairs) if pairs else None

    def closeness(self, text: str) -> float:
        """How close the bounds of a range in a text lie to the figure that it holds (0..1): 29歳以下 closer to 28歳."""
        return max(
            (
                1 / (1 + abs(float(bound - value)) / max(float(value), 1.0))
                for found, value in self._ranges_in(text)
                if found.holds(value)
                for bound in (found.low, found.high)
                if bound is not None
            ),
            default=0.0,
        )

    def _ranges_in(self, text: str) -> Iterator[tuple[Range, Decimal]]:
        """The ranges in a text, each with the figures of the question that count the same.

        An amount of money bounds only the row that it alone names: elsewhere it is what is given.
        """
        normal = normalize(text)
        for found in read_ranges(normal):
            alone = found.end - found.start >= len(normal) / 2
            if found.measure == "yen" and not (alone and not found.is_one):
                continue
            for measure, value in self._figures:
                if measure == found.measure and (not found.is_one or alone or found.holds(value)):
                    yield found, value

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


def _says_a_noun(word: str) -> bool:
    """Whether a word is an everyday one for what documents have a noun for (捨てる: 処分)."""
    said = load_synonyms().alternatives.get((word,), ())
    return any(NOUN.search(term) for alternative in said for term in alternative.terms)


def _counted(text: str) -> tuple[_Kind, ...]:
    """What is sought where it is asked for by its unit or by how its name ends (何歳, 何泊, 何課)."""
    asked = _COUNTED.search(text)
    if not asked:
        return ()
    unit = _ALSO.get(asked["unit"], re.escape(asked["unit"]))
    lasts = unit.startswith(("年", "か"))  # 毎年度 and 当年 are no length of time
    told = re.compile(rf"(?:[0-9一二三四五六七八九十百千]{'' if lasts else '|[一-龠]'})(?:{unit})")
    near = "期間" if lasts else unit
    return (_Kind(asked.re, _NOTHING, frozenset(), told, re.compile(near)),)


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
