"""Japanese text as the words that search sees: SudachiPy, normalised forms, particles dropped."""

import threading
from collections.abc import Iterator
from dataclasses import dataclass
from importlib.metadata import version

from sudachipy import Dictionary, Morpheme, SplitMode, Tokenizer

from knowledge.figures import normalize

WORDS_VERSION = f"words2-sudachidict{version('sudachidict-core')}"
"""Changes whenever the same text could give other words; an index made with another one is built anew."""

_MAX_CHARACTERS = 12_000  # SudachiPy refuses more than 49,149 bytes at once
_MARKS = frozenset({"補助記号", "記号", "空白"})
_WITHOUT_CONTENT = _MARKS | {"助詞", "助動詞", "接続詞", "感動詞"}
_dictionary_lock = threading.Lock()
_dictionary: Dictionary | None = None
_local = threading.local()


@dataclass(frozen=True)
class Word:
    """One content word: the normalised form of the long unit, and of its short units where it is a compound."""

    form: str
    parts: tuple[str, ...] = ()


def read_words(text: str) -> list[Word]:
    """The content words of a text in order (long units, each with its short units)."""
    words = []
    for morpheme in _content(text):
        form = morpheme.normalized_form().lower()
        parts = morpheme.split(SplitMode.A)
        words.append(Word(form, tuple(p.normalized_form().lower() for p in parts) if len(parts) > 1 else ()))
    return words


def index_terms(text: str) -> list[str]:
    """Everything that a text is found by: its words and the parts of its compounds, with repetitions."""
    return [term for word in read_words(text) for term in (word.form, *word.parts)]


def reading_pairs(text: str) -> list[str]:
    """Pairs of neighbouring sounds (kana of the reading), so that なんにん meets 何人 and しめきり 〆切."""
    sounds = "".join(m.reading_form() for m in _morphemes(text) if m.part_of_speech()[0] not in _MARKS)
    return [sounds[i : i + 2] for i in range(len(sounds) - 1)]


def _content(text: str) -> Iterator[Morpheme]:
    return (m for m in _morphemes(text) if m.part_of_speech()[0] not in _WITHOUT_CONTENT)


def _morphemes(text: str) -> Iterator[Morpheme]:
    tokenizer = open_tokenizer()
    for piece in _pieces(normalize(text)):
        yield from tokenizer.tokenize(piece)


def _pieces(text: str) -> Iterator[str]:
    """The text in pieces that SudachiPy takes, cut after a sentence where there is one."""
    start = 0
    while len(text) - start > _MAX_CHARACTERS:
        end = start + _MAX_CHARACTERS
        cut = max(text.rfind(mark, start, end) for mark in "。\n 、") + 1
        end = cut if cut > start else end
        yield text[start:end]
        start = end
    yield text[start:]


def open_tokenizer() -> Tokenizer:
    """This thread's tokenizer (one shared by threads raises), of long units unless asked; the dictionary is shared."""
    global _dictionary
    tokenizer: Tokenizer | None = getattr(_local, "tokenizer", None)
    if tokenizer is None:
        with _dictionary_lock:
            if _dictionary is None:
                _dictionary = Dictionary(dict="core")
            tokenizer = _local.tokenizer = _dictionary.tokenizer(mode=SplitMode.C)
    return tokenizer
