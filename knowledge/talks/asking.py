"""Talks put together from wordings of the FAQ (knowledge/matters/wordings), to learn from what a message asks.

People wrote each wording by itself. In a talk it follows a name, another question, or words about whoever asks; and
two of them stand in one message.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from random import Random

import yaml

from knowledge.catalog import load_catalog
from knowledge.talks.composing import CLAUSES, FIGURE

_WAYS = {"alone": 6, "named": 3, "after_the_name": 2, "after_another": 5, "turned_to": 1, "two": 5, "told_before": 3}
"""In how many of so many talks a wording stands so."""

_BETWEEN = (
    *("。あと、", "?あと", "。それと", "\n", "。", "? ", " ", "。ついでに", "?ちなみに", "。もう一つ、", "、それから"),
    *("。また、", "?それとは別に", "。あわせて、"),
)
_NAMING = ("{}について教えてください", "{}なんですが", "{}の件", "{}って", "{}を検討しています", "{}", "{}の者です")
_LEADING = ("{}: ", "{}ですが、", "{}の件で。", "{}について。", "{}なんですけど、", "{}、", "【{}】")
_ASKERS = ("applicant_kind", "fiscal_index", "past_selection", "recommended_by_local_government", "meeting_mode")

Wordings = Mapping[str, Sequence[tuple[str, str]]]
"""Of each program, what is asked by its name, and how."""


class Asker:
    """Puts each wording into one talk; the same wordings give the same talks."""

    def __init__(self, wordings: Wordings) -> None:
        """Takes the wordings of each program."""
        self._wordings = wordings
        self._rng = Random(0)
        self._programs = load_catalog().programs
        names = (name for one in self._programs.values() for name in (one.name, one.short_name, *one.aliases))
        self._named = re.compile("|".join(map(re.escape, names)), re.IGNORECASE)
        self._tells = [
            text
            for fact in _ASKERS
            for texts in _read(CLAUSES / "examples" / f"{fact}.yaml").values()
            for text in texts
        ]
        self._names = _read(CLAUSES / "roles" / "program.yaml")["meant"]

    def compose(self) -> Iterator[tuple[tuple[str, ...], frozenset[str], str, bool]]:
        """The messages of each talk, what the last asks, the program, and whether nothing tells that it is of it."""
        for program, wordings in self._wordings.items():
            left = self._rng.sample(wordings, len(wordings))
            while left:
                asked, text = left.pop()
                way = self._rng.choices(tuple(_WAYS), tuple(_WAYS.values()))[0]
                if self._named.search(text):
                    yield (text,), frozenset({asked}), program, False
                elif way == "two" and left:
                    other, beside = left.pop()
                    two = f"{text.rstrip('?。')}{self._rng.choice(_BETWEEN)}{beside}"
                    turns = self._rng.choice([(self._leading(program) + two,), (self._opening(program), two)])
                    yield turns, frozenset({asked, other}), program, False
                else:
                    yield self._in_talk(way, text, program), frozenset({asked}), program, way == "alone"

    def _in_talk(self, way: str, text: str, program: str) -> tuple[str, ...]:
        rng = self._rng
        if way == "after_the_name":
            return self._opening(program), text
        if way == "after_another":
            return self._asked_before(program), text
        if way == "turned_to":
            other = rng.choice([id for id in self._programs if id != program])
            return self._asked_before(other), self._leading(program) + text
        if way == "told_before":
            told = f"{rng.choice(self._tells)}。".replace("。。", "。")
            return rng.choice([(self._leading(program) + told + text,), (self._leading(program) + told, text)])
        return (text if way == "alone" else self._leading(program) + text,)

    def _asked_before(self, program: str) -> str:
        before = self._rng.choice(self._wordings[program])[1]
        return before if self._named.search(before) else self._leading(program) + before

    def _opening(self, program: str) -> str:
        if self._rng.random() < 0.5:
            return self._rng.choice(self._names).replace(FIGURE, self._name(program))
        return self._rng.choice(_NAMING).format(self._name(program))

    def _leading(self, program: str) -> str:
        return self._rng.choice(_LEADING).format(self._name(program))

    def _name(self, program: str) -> str:
        one = self._programs[program]
        return self._rng.choice((one.name, one.short_name, one.short_name, *one.aliases))


def _read(file: Path) -> dict[str, list[str]]:
    texts: dict[str, list[str]] = yaml.safe_load(file.read_text(encoding="utf-8"))
    return texts
