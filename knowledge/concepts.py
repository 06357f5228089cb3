"""What a text is about, as concepts: its content words, each with what else can stand for it (synonyms.yaml)."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path

import yaml

from knowledge.words import Word, read_words

_PARTS = 0.8  # what the parts of a compound count for, against the compound
_SAME = 0.6  # what a synonym counts for, against the word itself
_HINT = 0.4  # what a word counts for that an everyday form may mean

_WITHOUT_TOPIC = """
為る 居る 有る 成る 出来る 呉れる 下さる 貰う 頂く 教える 知る 言う 思う 無い 良い 宜しい 何 何れ 何方 どれ どの
どう どんな どちら 此れ 其れ 此の 其の 事 物 奴 様 方 場合 今 実際 御 的 さん 等 又 因る 就く 於く 関する 対する
御座る 願う 致す 欲しい 遣る 仕舞う 置く 見る こう そう ちょっと 一寸 とか どっち なん
何時 何処 何故 幾ら いつ どこ だれ 誰 いくら 幾つ いくつ
"""  # what every question has
_STOP_WORDS = frozenset(_WITHOUT_TOPIC.split())


@dataclass(frozen=True)
class Alternative:
    """Terms that together stand for a concept, and how much they count for against the word itself."""

    terms: tuple[str, ...]
    share: float


Concept = tuple[Alternative, ...]
"""The ways in which a text can say what a word of the query says; the first is the word itself."""


def read_concepts(text: str) -> list[Concept]:
    """The content words of a text, each once, with what else can stand for them."""
    synonyms = load_synonyms()
    words = read_words(text)
    concepts: dict[str, Concept] = {}
    while words:
        length = synonyms.length_at_start(words)
        taken, words = words[:length], words[length:]
        forms = tuple(word.form for word in taken)
        if length == 1 and forms[0] in _STOP_WORDS and forms not in synonyms.alternatives:
            continue
        own = [Alternative(forms, 1.0)]
        parts = tuple(chain.from_iterable(word.parts or (word.form,) for word in taken))
        if parts != forms:
            own.append(Alternative(parts, _PARTS))
        concepts.setdefault(" ".join(forms), (*own, *synonyms.alternatives.get(forms, ())))
    return list(concepts.values())


@dataclass(frozen=True)
class Synonyms:
    """What can stand for a word or a run of words, by its normalised forms; `longest` is the most words of a run."""

    alternatives: Mapping[tuple[str, ...], tuple[Alternative, ...]]
    longest: int

    def length_at_start(self, words: Sequence[Word]) -> int:
        """How many of the first words are one entry together; 1 where none is."""
        forms = tuple(word.form for word in words[: self.longest])
        return next((n for n in range(len(forms), 1, -1) if forms[:n] in self.alternatives), 1)


@cache
def load_synonyms() -> Synonyms:
    """Reads synonyms.yaml: `same` lists words that stand for each other; `said` may mean `means`, not the reverse."""
    groups = yaml.load((Path(__file__).parent / "synonyms.yaml").read_text(encoding="utf-8"), yaml.CSafeLoader)
    alternatives: dict[tuple[str, ...], dict[tuple[str, ...], float]] = {}
    for group in groups:
        said = group.get("same", group.get("said"))
        means = group.get("same", group.get("means"))
        share = _SAME if "same" in group else _HINT
        for word in map(_forms, said):
            for other in map(_forms, means):
                if other != word:
                    shares = alternatives.setdefault(word, {})
                    shares[other] = max(share, shares.get(other, 0))
    return Synonyms(
        {word: tuple(Alternative(o, s) for o, s in others.items()) for word, others in alternatives.items()},
        max((len(word) for word in alternatives), default=1),
    )


def _forms(text: str) -> tuple[str, ...]:
    return tuple(word.form for word in read_words(text))
