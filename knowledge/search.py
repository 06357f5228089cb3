"""Hybrid search: the words of the query and their synonyms, pairs of characters, and the embedding, as one score.

Each part is in 0..1 and is weighted and added; ranks are not fused, as that lets a weak part spoil a strong one.
`lexical` is the share of the query's weight that a chunk covers: each word of the query is a concept that weighs its
inverse document frequency, and is covered by the word itself, by its parts where it is a compound, or, for less, by a
synonym. A word that no chunk holds weighs most and is covered by none, so that one threshold means the same for all
queries.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from itertools import chain
from pathlib import Path
from typing import Literal

import numpy as np
import numpy.typing as npt
import yaml

from knowledge.embedding import Embedding
from knowledge.store import KINDS, Index, Kind, Terms, current_generation, open_index
from knowledge.types import Hit
from knowledge.words import Word, character_pairs, index_terms, read_words

Scores = npt.NDArray[np.float32]

_CANDIDATES = 50  # of each of the two orders that are joined before the final one
_SATURATION = 0.7  # BM25's k1
_LENGTH_PENALTY = 0.2  # BM25's b
_PARTS = 0.8  # what the parts of a compound count for, against the compound
_SAME = 0.6  # what a synonym counts for, against the word itself
_UNHELD = 1.5  # how much more a synonym counts where no chunk holds the word itself
_HINT = 0.4  # what a word counts for that an everyday form may mean


RELEVANT = 0.19
"""A passage that scores less says nothing on the query. Chosen on one set of questions and measured on others: see
tests/bench_retrieval.py, which prints the shares of questions kept and refused."""


@dataclass(frozen=True)
class _Weights:
    """The shares of the parts in the score; they sum to 1."""

    words: float
    pairs: float
    dense: float


_WEIGHTS: Mapping[Kind, _Weights] = {
    "passage": _Weights(words=0.8, pairs=0.0, dense=0.2),
    "question": _Weights(words=0.2, pairs=0.2, dense=0.6),
}

# Words that carry no topic: what every question has.
_STOP_WORDS = frozenset(
    "為る 居る 有る 成る 出来る 呉れる 下さる 貰う 頂く 教える 知る 言う 思う 無い 良い 宜しい 何 何れ 何方 どれ どの どう "
    "どんな どちら 此れ 其れ 此の 其の 事 物 奴 様 方 場合 今 実際 御 的 さん 等 又 因る 就く 於く 関する 対する 御座る "
    "願う 致す 欲しい 遣る 仕舞う 置く 見る こう そう ちょっと 一寸 とか どっち なん".split()
)


@dataclass(frozen=True)
class Alternative:
    """Terms that together stand for a concept, and how much they count for against the word itself."""

    terms: tuple[str, ...]
    share: float


_Concept = tuple[Alternative, ...]
"""The ways in which a text can say what a word of the query says; the first is the word itself."""


class Searcher:
    """Searches the index with the embedding that it was made with. Safe to use from several threads."""

    def __init__(self, index: Index, embedding: Embedding) -> None:
        """Takes over the index: it is closed when a newer one takes its place, or by close()."""
        self._embedding = embedding
        self._lock = threading.Lock()
        self._index = index
        self._users: dict[Index, int] = {index: 0}

    def search(
        self, query: str, *, program: str = "", kind: Kind = "passage", limit: int = 8
    ) -> tuple[Hit, ...]:
        """The chunks that fit the query best, best first; chunks with nothing in common with it are left out.

        Args:
            query: what was typed.
            program: only chunks of this program and of none; "" for all.
            kind: passages of documents, or typed questions of the FAQ.
            limit: at most so many.
        """
        with self._reading() as index:
            if not index.sizes[kind]:
                return ()
            weights = _WEIGHTS[kind]
            allowed = _allowed(index, kind, program)
            words = _word_scores(index, kind, _concepts(query))
            lexical = weights.words * words
            if weights.pairs:
                lexical = lexical + weights.pairs * _pair_scores(index, kind, query)
            lexical = np.where(allowed, lexical / (weights.words + weights.pairs), 0)
            candidates = _best(lexical, _CANDIDATES)
            vector = self._embedding.embed_queries([query])[0]
            if vector.any():
                candidates = np.union1d(candidates, index.nearest(kind, vector, program, _CANDIDATES))
                dense = np.clip(index.vectors(candidates) @ vector, 0, 1)
            else:
                dense = np.zeros(len(candidates), dtype=np.float32)
            scores = (1 - weights.dense) * lexical[candidates] + weights.dense * dense
            order = np.lexsort((candidates, -scores))[:limit]
            chosen = [i for i in order.tolist() if scores[i] > 0]
            chunks = index.chunks(candidates[chosen])
            return tuple(
                Hit(chunk, float(scores[i]), float(lexical[candidates[i]]), float(dense[i]))
                for chunk, i in zip(chunks, chosen, strict=True)
            )

    def terms(self, text: str) -> Mapping[str, float]:
        """The content words of a text, each with its weight (inverse document frequency among the passages)."""
        with self._reading() as index:
            return {
                concept[0].terms[0]: _weight(index, "passage", concept) for concept in _concepts(text)
            }

    def covered(self, query: str, text: str) -> float:
        """The share of the query's weight that a text covers, synonyms included; 0 for a query without content."""
        with self._reading() as index:
            present = frozenset(index_terms(text))
            total, covered = 0.0, 0.0
            for concept in _concepts(query):
                weight = _weight(index, "passage", concept)
                total += weight
                covered += weight * max(
                    (alternative.share for alternative in concept if present.issuperset(alternative.terms)), default=0
                )
            return covered / total if total else 0.0

    def refresh(self) -> bool:
        """Swaps to a newer generation of the index where there is one, and says whether it did.

        Searches that run meanwhile end on the old one, which is then closed.
        """
        old = self._index
        if current_generation(old.data_dir, self._embedding.name) == old.generation:
            return False
        new = open_index(old.data_dir, self._embedding)
        with self._lock:
            self._users[new] = 0
            self._index = new
        self._close_unused()
        return True

    def close(self) -> None:
        """Closes the index."""
        self._index.close()

    @contextmanager
    def _reading(self) -> Iterator[Index]:
        with self._lock:
            index = self._index
            self._users[index] += 1
        try:
            yield index
        finally:
            with self._lock:
                self._users[index] -= 1
            self._close_unused()

    def _close_unused(self) -> None:
        with self._lock:
            unused = [index for index, users in self._users.items() if not users and index is not self._index]
            for index in unused:
                del self._users[index]
        for index in unused:
            index.close()


def _allowed(index: Index, kind: Kind, program: str) -> npt.NDArray[np.bool_]:
    allowed = index.kinds == KINDS.index(kind)
    if program:
        numbers = [index.program_numbers[name] for name in (program, "") if name in index.program_numbers]
        allowed = allowed & np.isin(index.programs, numbers)
    return allowed


def _best(scores: Scores, limit: int) -> npt.NDArray[np.int64]:
    """The rows of the highest scores above 0."""
    rows = np.argpartition(-scores, limit)[:limit] if limit < len(scores) else np.arange(len(scores))
    return rows[scores[rows] > 0]


def _word_scores(index: Index, kind: Kind, concepts: Sequence[_Concept]) -> Scores:
    """For each row the share of the concepts' weight that it covers, with BM25's saturation and length penalty."""
    scores = np.zeros(len(index.kinds), dtype=np.float32)
    total = 0.0
    for concept in concepts:
        weight = _weight(index, kind, concept)
        total += weight
        boost = 1 if _held(index, kind, concept[0]) else _UNHELD
        best = np.zeros_like(scores)
        for alternative in concept:
            presence = _presence(index, kind, "words", alternative.terms[0])
            for term in alternative.terms[1:]:
                presence = np.minimum(presence, _presence(index, kind, "words", term))
            np.maximum(best, alternative.share * presence, out=best)
        scores += weight * np.minimum(boost * best, 1)
    return scores / total if total else scores


def _pair_scores(index: Index, kind: Kind, query: str) -> Scores:
    scores = np.zeros(len(index.kinds), dtype=np.float32)
    total = 0.0
    for pair in set(character_pairs(query)):
        weight = _inverse_frequency(index, kind, "pairs", pair)
        total += weight
        scores += weight * _presence(index, kind, "pairs", pair)
    return scores / total if total else scores


def _presence(index: Index, kind: Kind, terms: Terms, term: str) -> Scores:
    """How much each row holds a term, in 0..1: BM25's term weight without the inverse document frequency."""
    lengths = index.lengths[terms]
    postings = index.postings(kind, terms, term)
    presence = np.zeros(len(lengths), dtype=np.float32)
    if len(postings.rows):
        relative = lengths[postings.rows] / index.average_lengths[kind, terms]
        damping = _SATURATION * (1 - _LENGTH_PENALTY + _LENGTH_PENALTY * relative)
        presence[postings.rows] = postings.counts / (postings.counts + damping)
    return presence


def _weight(index: Index, kind: Kind, concept: _Concept) -> float:
    """The weight of the word itself; where no chunk holds it, that of its commonest alternative that one holds."""
    own, *others = (
        max(_inverse_frequency(index, kind, "words", term) for term in alternative.terms) for alternative in concept
    )
    if _held(index, kind, concept[0]):
        return own
    return min((weight for weight, a in zip(others, concept[1:], strict=True) if _held(index, kind, a)), default=own)


def _held(index: Index, kind: Kind, alternative: Alternative) -> bool:
    return all(len(index.postings(kind, "words", term).rows) for term in alternative.terms)


def _inverse_frequency(index: Index, kind: Kind, terms: Terms, term: str) -> float:
    held = len(index.postings(kind, terms, term).rows)
    return float(np.log1p((index.sizes[kind] - held + 0.5) / (held + 0.5)))


def _concepts(text: str) -> list[_Concept]:
    """The content words of a text, each once, with what else can stand for them."""
    words = read_words(text)
    synonyms = load_synonyms()
    concepts: dict[str, _Concept] = {}
    position = 0
    while position < len(words):
        length = next(
            (n for n in range(min(synonyms.longest, len(words) - position), 1, -1)
             if tuple(w.form for w in words[position : position + n]) in synonyms.alternatives),
            1,
        )
        taken = words[position : position + length]
        forms = tuple(word.form for word in taken)
        position += length
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
    alternatives: Mapping[tuple[str, ...], tuple[Alternative, ...]]
    longest: int


@cache
def load_synonyms() -> Synonyms:
    """Reads synonyms.yaml: `same` lists words that stand for each other; `said` may mean `means`, not the reverse."""
    groups = yaml.safe_load((Path(__file__).parent / "synonyms.yaml").read_text(encoding="utf-8"))
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
