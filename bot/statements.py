"""Cuts what a source says into statements: clauses that stand by themselves, with their parts. Pure."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property

from bot.claims import Token, paraphrases, read_claims

BINDING_SIGNS = frozenset({"AND", "ONLY", "EXCEPT", "ABOVE", "BELOW", "AT_LEAST", "LIMIT", "NOT_ONLY", "MUST"})
"""Signs that bind what they stand with: what has one is no item of a list that may be left out."""


def carries(token: Token) -> bool:
    """Whether a token says something of its own: a figure, or a word that is not silent."""
    if token.kind == "figure":
        return True
    is_silent = token.form in paraphrases().silent and token.role != "のは"
    return token.kind == "word" and (token.denied or not is_silent)


@dataclass(frozen=True)
class Part:
    """A piece of a statement between commas.

    `bracketed` tells that a bracket or a colon follows it, `of_row` that it is said of the things in a row before it.
    """

    text: str
    tokens: tuple[Token, ...]
    bracketed: bool
    of_row: bool

    @cached_property
    def is_item(self) -> bool:
        """Whether it is one of several things in a row, which do not narrow one another."""
        binds = any(token.form in BINDING_SIGNS for token in self.tokens)
        return self.ends_in_a_thing and not self.bracketed and not binds

    @cached_property
    def ends_in_a_thing(self) -> bool:
        """Whether it ends in a thing, and not in what is said of it."""
        return _ITEM.search(self.text.strip()) is not None

    @cached_property
    def is_alternative(self) -> bool:
        """Whether it has a case or a turn of its own (市なら…、企業なら…; 1回目は…、2回目は…)."""
        return any(token.form == "COND" or token.form.endswith("回目") for token in self.tokens)

    @cached_property
    def content(self) -> frozenset[str]:
        """What it says, without the silent words."""
        return frozenset(token.form for token in self.tokens if carries(token))


@dataclass(frozen=True)
class Statement:
    """A clause of a source that stands by itself, with its parts.

    `settled` is the source's. `topic` are the words of what it speaks of, `context` those that it need not repeat (the
    heading's, the program's names, which are `named` alone, and what the source speaks of), `nearby` those of the whole
    source.
    """

    program: str
    settled: bool
    topic: frozenset[str]
    parts: tuple[Part, ...]
    context: frozenset[str]
    nearby: frozenset[str]
    named: frozenset[str]

    @cached_property
    def tokens(self) -> tuple[Token, ...]:
        """What all its parts say."""
        return tuple(token for part in self.parts for token in part.tokens)


_STANDS_ALONE = re.compile(
    r"(?:(?<=です)|(?<=ます)|(?<=ません)|(?<=した))(?:が|し|ので|から|けれど|けれども|けど)?、"
    r"|(?:(?<=[いる]ため)|(?<=対象外)|(?<=対象外で)|(?<=無料で)|(?<=対象で)|(?<=上限で)|(?<=円で)|(?<=まで)で"
    r"|(?<=[月回日件人]で)|(?<=程度で)|(?<=予算で))、"
)
"""Commas behind which another clause begins."""


def sentences_of(text: str) -> list[str]:
    """The sentences of a text, without their full stops."""
    return [part for part in re.split(r"。|\n", text) if part.strip()]


def clauses_of(sentence: str) -> list[str]:
    """The clauses of a sentence that stand by themselves."""
    return [part for part in _STANDS_ALONE.split(sentence) if part and part.strip()]


_ITEM = re.compile(r"(?:[一-龠ァ-ヶーa-z0-9」](?:など)?|とき|こと|か|(?<=[一-龠ァ-ヶー])[とや])$")
"""How a thing ends that stands in a row with others."""

_LAST_ITEM = re.compile(
    r"(?P<item>[^、]*?(?:[一-龠ァ-ヶーa-z0-9」](?:など)?|とき|こと|か))(?P<said>に?[はも][^、]*)"
    r"|(?P<thing>[^、]*(?:[一-龠ァ-ヶーa-z0-9」](?:など)?|とき|こと))(?P<rest>(?:[がをにで]|とを?|のが|だけ|です)[^、]*)"
)
"""The last of several things in a row, and what is said of them all."""


def parts_of(clause: str, names: Mapping[str, str]) -> tuple[Part, ...]:
    """The parts of a clause; a topic goes with what is said of it.

    What is said of several things in a row stands apart from the last of them.

    Args:
        clause: normalised.
        names: program ids by each way of writing a program's name, normalised.
    """
    pieces = re.split(r"((?<!は)、|\(|\)|:)", clause)
    cut = [(text, mark) for text, mark in zip(pieces[::2], [*pieces[1::2], ""], strict=True) if text.strip()]
    of_row = len(cut) > 1 and _ITEM.search(cut[-2][0]) and _LAST_ITEM.fullmatch(cut[-1][0])
    if of_row:
        cut[-1:] = [(of_row["item"] or of_row["thing"], ""), (of_row["said"] or of_row["rest"], cut[-1][1])]
    return tuple(
        Part(text, read_claims(text, names), mark in ("(", ")", ":"), bool(of_row) and number == len(cut))
        for number, (text, mark) in enumerate(cut, 1)
    )
