"""The vocabulary (lexicon.yaml): finds concepts in the words of a text, whatever their inflection and writing."""

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

import yaml
from sudachipy import SplitMode

from knowledge.words import open_tokenizer


@dataclass(frozen=True)
class Token:
    """A short unit of a text (SudachiPy, mode A). `key` is its normal form, by which the lexicon finds it."""

    start: int
    end: int
    surface: str
    key: str
    pos: str
    detail: str


@dataclass(frozen=True)
class Mention:
    """Words that say one or more concepts: the characters, and the numbers of the tokens, from first to last."""

    start: int
    end: int
    first: int
    last: int
    concepts: frozenset[str]


_SAME_KEY = {
    "多く": "多い",
    "少なく": "少ない",
    "通う": "通る",
    "ない": "無い",
    "なし": "無い",
    "ず": "無い",
    "ぬ": "無い",
    "へん": "無い",
    "で": "だ",
    "じゃ": "だ",
}
"""Forms that say the same, which SudachiPy keeps apart by their part of speech."""

_OWN_FORM = frozenset({"でしょ", "なら", "たら", "だろう", "でしょう", "れば"})
"""Endings that say something by their form (仮定, 推量), so that their normal form would lose it."""

_LIGHT = frozenset(
    {"て", "てる", "居る", "ます", "です", "だ", "た", "は", "が", "も", "を", "の", "御座る", "つ", "為る", "様"}
)
"""What may stand between the words of an entry without changing what it says (決まっていません is 決まっ…ない)."""


_SKIPPED = _LIGHT | {"有る"}
"""What may also stand there: ではありません is ではない."""


def tokenize(text: str) -> tuple[Token, ...]:
    """The short units of a normalised text, in order, with where each stands."""
    found = []
    for morpheme in open_tokenizer().tokenize(text, SplitMode.A):
        form = morpheme.surface() if morpheme.surface() in _OWN_FORM else morpheme.normalized_form().lower()
        pos, detail = morpheme.part_of_speech()[:2]
        found.append(
            Token(morpheme.begin(), morpheme.end(), morpheme.surface(), _SAME_KEY.get(form, form), pos, detail)
        )
    return tuple(found)


@dataclass(frozen=True)
class Lexicon:
    """The entries by their first word: the keys of the words that follow it, and the concepts that they say."""

    entries: Mapping[str, Sequence[tuple[tuple[str, ...], frozenset[str]]]]

    def find(self, tokens: Sequence[Token]) -> tuple[Mention, ...]:
        """What the tokens say: at each place the longest entry, so that no shorter one is seen inside it."""
        found = []
        at = 0
        while at < len(tokens):
            best: Mention | None = None
            for rest, concepts in self.entries.get(tokens[at].key, ()):
                last = _last_of(tokens, at, rest)
                if last is not None and (best is None or last > best.last):
                    best = Mention(tokens[at].start, tokens[last].end, at, last, concepts)
            if best:
                found.append(best)
            at = best.last + 1 if best else at + 1
        return tuple(found)


def _last_of(tokens: Sequence[Token], first: int, rest: tuple[str, ...]) -> int | None:
    """The token that ends an entry which begins at `first`; None where it does not stand there."""
    at = first
    for key in rest:
        at += 1
        while at < len(tokens) and tokens[at].key != key and tokens[at].key in _SKIPPED:
            at += 1
        if at >= len(tokens) or tokens[at].key != key:
            return None
    return at


@cache
def load_lexicon() -> Lexicon:
    """Reads lexicon.yaml. A word that stands under several concepts says all of them."""
    words: dict[tuple[str, ...], set[str]] = {}
    for concept, listed in read_words_of_concepts().items():
        for word in listed:
            for keys in _splittings(word):
                words.setdefault(keys, set()).add(concept)
    entries: dict[str, list[tuple[tuple[str, ...], frozenset[str]]]] = {}
    for keys, concepts in words.items():
        entries.setdefault(keys[0], []).append((keys[1:], frozenset(concepts)))
    return Lexicon(entries)


def _splittings(word: str) -> Iterator[tuple[str, ...]]:
    """The keys of an entry, and those that nouns have beside other words: alone 三セク is of two units."""
    tokens = [token for token in tokenize(word) if token.pos != "空白"]
    keys = tuple(token.key for token in tokens)
    if not _LIGHT.issuperset(keys):
        keys = (keys[0], *(key for key in keys[1:-1] if key not in _LIGHT), *_ending(keys[1:]))
    yield keys
    if not all(token.pos in _NOMINAL for token in tokens):
        return
    beside = f"{word}も、{word}です。は{word}、の{word}が、{word}に"
    among = tokenize(beside)
    for start in (match.start() for match in re.finditer(re.escape(word), beside)):
        inside = [token for token in among if start <= token.start and token.end <= start + len(word)]
        if "".join(token.surface for token in inside) == word and all(token.pos in _NOMINAL for token in inside):
            yield tuple(token.key for token in inside)


_NOMINAL = frozenset({"名詞", "接頭辞", "接尾辞"})


def _ending(keys: Sequence[str]) -> tuple[str, ...]:
    """The last word of an entry, where it says something: 一度も is another word than 一度, とする than と."""
    return tuple(key for key in keys[-1:] if key not in _LIGHT or key in ("も", "為る", "の"))


def respell(text: str, offsets: tuple[int, ...]) -> tuple[str, tuple[int, ...]]:
    """The text with words in kana or English as the vocabulary has them, and where each character stood before.

    Args:
        text: a normalised text.
        offsets: for each character, and for the end, where it stands in the original.
    """
    spellings, pattern = _load_spellings()
    parts: list[str] = []
    moved: list[int] = []
    at = 0
    for match in pattern.finditer(text):
        written = spellings[match[0]]
        parts += [text[at : match.start()], written]
        moved += [*offsets[at : match.start()], *([offsets[match.start()]] * len(written))]
        at = match.end()
    return "".join((*parts, text[at:])), (*moved, *offsets[at:])


@cache
def _load_spellings() -> tuple[Mapping[str, str], re.Pattern[str]]:
    written: Mapping[str, str] = _read("spellings.yaml")
    words = sorted(written, key=len, reverse=True)
    latin = [rf"(?<![a-z]){re.escape(word)}(?![a-z])" for word in words if word.isascii()]
    kana = [re.escape(word) for word in words if not word.isascii()]
    return written, re.compile("|".join((*kana, *latin)))


def read_words_of_concepts() -> Mapping[str, Sequence[str]]:
    """The lexicon as it is written: each concept with its words."""
    written: Mapping[str, Sequence[str]] = _read("lexicon.yaml")
    return written


def _read(name: str) -> Any:
    return yaml.load((Path(__file__).parent / name).read_text(encoding="utf-8"), yaml.CSafeLoader)
