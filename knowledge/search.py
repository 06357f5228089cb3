"""Hybrid search: words with their synonyms, the sounds of the reading, and the encoder, as one score.

Each part is in 0..1 and is weighted and added; ranks are not fused, as that lets a weak part spoil a strong one.
The words' part is the share of the query's weight that a chunk covers: each word of the query is a concept that weighs
its inverse document frequency, and is covered by the word itself, by its parts where it is a compound, or, for less, by
a synonym. A word that no chunk holds weighs most and is covered by none, so that one threshold means the same for all
queries.
"""

import logging
import math
import threading
from collections.abc import Collection, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import numpy.typing as npt

from knowledge.concepts import Alternative, Concept, read_concepts
from knowledge.encoder.encoding import Encoder, Vectors, load_encoder, load_encoder_named
from knowledge.figures import normalize
from knowledge.reranking import Reranker, load_reranker
from knowledge.store import (
    Index,
    IndexUnwritableError,
    Rows,
    TermSort,
    current_generation,
    embedded_text,
    newest_encoder,
    open_index,
)
from knowledge.types import KINDS, Chunk, Hit, IndexMissingError, Kind, NamedDocument, section_id
from knowledge.words import index_terms, read_words, reading_pairs

Scores = npt.NDArray[np.float32]

_SATURATION = 0.7  # BM25's k1
_LENGTH_PENALTY = 0.2  # BM25's b
_UNHELD = 1.5  # how much more a synonym counts where no chunk holds the word itself

_CANDIDATES = 50  # passages of each of the two orders that are joined before the final one
_COMPARED = 1000  # passages of the documents that are searched alone; so many are all compared by the encoder
_PASSAGE_DENSE = 0.35  # the encoder's share in a passage's score; the words have the rest
_RERANKED = 20  # passages that a reranker puts in order

# The shares in how near a wording of the FAQ is, and how many wordings of an entry count for it.
_WORDS, _SOUNDS, _DENSE = 0.2, 0.2, 0.6
_NEAREST = 5

# How surely an entry is meant: logistic regression over how near it is, how far it leads the one of a lower rank, and
# how long the question is, on questions put to FAQs of 6 to 15 entries: with their entry there, with it taken away, and
# on other matters altogether.
_NEARNESS, _LEAD, _LENGTH, _DOUBT = 1.0, 12.0, -0.3, 1.9
_LEADS = 5

RELEVANT = 0.19
"""A passage that scores less says nothing on the query. Chosen on one set of questions and measured on others: see
tests/bench_retrieval.py, which prints the shares of questions kept and refused."""

_ALMOST_NOTHING = 1e-6

_log = logging.getLogger(__name__)


@dataclass(frozen=True)
class EntryHit:
    """An entry of the FAQ that a typed question may mean: its program, its id, and how surely, in 0..1."""

    program: str
    target: str
    score: float


def open_searcher(
    data_dir: Path, embedding_model: str = "", reranker_model: str = "", chroma_url: str = ""
) -> "Searcher":
    """Opens the index for a model; until that is made, the newest there is serves, with the model that made it.

    Args:
        data_dir: the data folder.
        embedding_model: "" for the repository's own, or the name or folder of a sentence-transformers model.
        reranker_model: "" for none, or the name or folder of a cross-encoder.
        chroma_url: "" for the embedded Chroma, or the address of a server.

    Raises:
        IndexMissingError: there is no index that can serve.
    """
    wanted = load_encoder(embedding_model)
    reranker = load_reranker(reranker_model) if reranker_model else None
    try:
        index = open_index(data_dir, wanted, chroma_url)
    except IndexMissingError as error:
        made_with = newest_encoder(data_dir)
        serving = load_encoder_named(made_with) if made_with and made_with != wanted.name else None
        if serving is None:
            raise
        _log.warning("%s それまでは今の索引で答えます。", error)
        index = open_index(data_dir, serving, chroma_url)
    return Searcher(index, wanted, reranker)


class Searcher:
    """Searches the index with the encoder that it was made with. Safe to use from several threads."""

    def __init__(self, index: Index, encoder: Encoder, reranker: Reranker | None = None) -> None:
        """Takes over the index: it is closed when a newer one takes its place, or by close().

        Args:
            index: what is searched now.
            encoder: whose index refresh() looks for; the one of `index` unless that only stands in for it.
            reranker: puts the best passages in order; None leaves them in that of their scores.
        """
        self._encoder = encoder
        self._reranker = reranker
        self._lock = threading.Lock()
        self._index = index
        self._users: dict[Index, int] = {index: 0}

    def search(
        self, query: str, *, program: str = "", documents: Collection[str] = (), limit: int = 8
    ) -> tuple[Hit, ...]:
        """The passages that fit the query best, best first; those with nothing in common with it are left out.

        Args:
            query: what was typed.
            program: only passages of this program and of none; "" for all.
            documents: only passages of these documents; none for all.
            limit: at most so many.
        """
        with self._reading() as index:
            lexical = _word_scores(index, "passage", read_concepts(query))
            allowed = _allowed(index, "passage", program) & _of_documents(index, documents)
            lexical = np.where(allowed, lexical, 0)
            candidates = _best(lexical, max(_CANDIDATES, limit))
            vector = index.encoder.encode_queries([query])[0]
            if vector.any():
                if not documents:
                    candidates = np.union1d(candidates, index.nearest(vector, program, _CANDIDATES))
                elif allowed.sum() <= _COMPARED:
                    candidates = np.flatnonzero(allowed).astype(np.int32)
                dense = _beside(index.vectors(candidates), index.mean_passage, vector)
            else:
                dense = np.zeros(len(candidates), dtype=np.float32)
            scores = (1 - _PASSAGE_DENSE) * lexical[candidates] + _PASSAGE_DENSE * dense
            order = np.lexsort((candidates, -scores))[: max(limit, _RERANKED if self._reranker else 0)]
            order = order[scores[order] > 0]
            hits = [
                Hit(chunk, float(scores[i]), float(lexical[candidates[i]]), float(dense[i]))
                for chunk, i in zip(index.chunks(candidates[order]), order.tolist(), strict=True)
            ]
        return tuple((self._reranked(query, hits) if self._reranker else hits)[:limit])

    def _reranked(self, query: str, hits: Sequence[Hit]) -> list[Hit]:
        assert self._reranker is not None
        fits = self._reranker.rate(query, [embedded_text(hit.chunk) for hit in hits])
        return [hits[i] for i in np.argsort(-fits, kind="stable")]

    def entries(self, query: str, *, program: str = "", limit: int = 5) -> tuple[EntryHit, ...]:
        """The entries of the FAQ that a typed question may mean, best first.

        An entry is as near as its nearest wordings are, the nearest counting most.

        Args:
            query: what was typed.
            program: only entries of this program and of none; "" for all.
            limit: at most so many.
        """
        query = normalize(query)
        with self._reading() as index:
            wordings = index.wordings
            kept = _allowed(index, "question", program)[wordings.rows]
            if not query or not kept.any():
                return ()
            words = _word_scores(index, "question", read_concepts(query))[wordings.rows]
            sounds = _sound_scores(index, query)[wordings.rows]
            dense = _beside(wordings.vectors, wordings.mean, index.encoder.encode_queries([query])[0])
        near = _of_nearest((_WORDS * words + _SOUNDS * sounds + _DENSE * dense)[kept], wordings.entry_numbers[kept])
        order = [entry for entry in sorted(near, key=lambda entry: -near[entry]) if near[entry] > 0]
        compared = near[order[:_LEADS][-1]] if order else 0
        return tuple(
            EntryHit(program, target, _sureness(near[entry], near[entry] - compared, len(query)))
            for entry in order[:limit]
            for program, target in [wordings.entries[entry]]
        )

    def section(self, program: str, heading: str) -> Chunk | None:
        """A section of a program's guide; None where the index has none under this heading."""
        with self._reading() as index:
            return index.chunk(section_id(program, heading))

    @property
    def named(self) -> tuple[NamedDocument, ...]:
        """The added documents with their names."""
        with self._reading() as index:
            return index.named

    def foreign_words(self, text: str) -> tuple[str, ...]:
        """The content words of a text that no program's guide, document or FAQ has in any form."""
        with self._reading() as index:
            ours = [number for name, number in index.program_numbers.items() if name]
            of_programs = np.isin(index.programs, ours)

            def is_known(alternative: Alternative) -> bool:
                return any(
                    all(of_programs[index.postings(kind, "words", term).rows].any() for term in alternative.terms)
                    for kind in KINDS
                )

            return tuple(
                " ".join(concept[0].terms) for concept in read_concepts(text) if not any(map(is_known, concept))
            )

    def parts_of_unknown(self, word: str) -> tuple[str, ...]:
        """The parts of a compound that no passage has as such; none of other words."""
        with self._reading() as index:
            return tuple(
                part
                for concept, read in zip(read_concepts(word), read_words(word), strict=False)
                if not _held(index, "passage", concept[0])
                for part in read.parts
            )

    def terms(self, text: str) -> Mapping[str, float]:
        """The content words of a text, each with its weight (inverse document frequency among the passages)."""
        with self._reading() as index:
            return {" ".join(concept[0].terms): _weight(index, "passage", concept) for concept in read_concepts(text)}

    def covered(self, query: str, text: str, least: float = 0.0) -> float:
        """The share of the query's weight that a text covers; 0 for a query without content.

        A synonym counts for its share of the word that it stands for, and for no less than `least`.
        """
        with self._reading() as index:
            present = frozenset(index_terms(text))
            total, covered = 0.0, 0.0
            for concept in read_concepts(query):
                weight = _weight(index, "passage", concept)
                total += weight
                covered += weight * max(
                    (max(one.share, least) for one in concept if present.issuperset(one.terms)), default=0
                )
            return covered / total if total else 0.0

    def nearness(self, query: str, texts: Sequence[str]) -> Scores:
        """How near in meaning each text is to the query, beside how near the passages of the index are (0..1)."""
        with self._reading() as index:
            vectors = index.encoder.encode_passages(texts)
            return _beside(vectors, index.mean_passage, index.encoder.encode_queries([query])[0])

    @property
    def generation(self) -> str:
        """The name of the index's generation that is searched now."""
        return self._index.generation

    @property
    def sizes(self) -> Mapping[Kind, int]:
        """How many passages, and how many typed questions, there are to be found."""
        return self._index.sizes

    def refresh(self) -> bool:
        """Swaps to a newer generation of the index where there is one, and says whether it did.

        Searches that run meanwhile end on the old one, which is then closed.
        """
        old = self._index
        try:
            newest = current_generation(old.data_dir, self._encoder.name)
        except IndexMissingError:
            if old.encoder.name == self._encoder.name:
                raise
            return False
        if newest == old.generation:
            return False
        new = open_index(old.data_dir, self._encoder, old.chroma_url)
        if old.uses_chroma:
            _open_chroma(new)
        with self._lock:
            self._users[new] = 0
            self._index = new
        self._close_unused()
        return True

    def open_chroma(self) -> None:
        """Has Chroma find passages from now on, where it can be opened; what is asked meanwhile does not wait."""
        with self._reading() as index:
            _open_chroma(index)

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


def _open_chroma(index: Index) -> None:
    try:
        index.open_chroma()
    except (IndexUnwritableError, OSError) as error:
        _log.warning("every passage goes on being compared: %s", error)


def _allowed(index: Index, kind: Kind, program: str) -> npt.NDArray[np.bool_]:
    allowed: npt.NDArray[np.bool_] = index.kinds == KINDS.index(kind)
    if program:
        numbers = [index.program_numbers[name] for name in (program, "") if name in index.program_numbers]
        allowed &= np.isin(index.programs, numbers)
    return allowed


def _of_documents(index: Index, documents: Collection[str]) -> npt.NDArray[np.bool_]:
    if not documents:
        return np.ones(len(index.documents), dtype=np.bool_)
    numbers = [index.document_numbers[id] for id in documents if id in index.document_numbers]
    found: npt.NDArray[np.bool_] = np.isin(index.documents, numbers)
    return found


def _beside(vectors: Vectors, mean: Vectors, query: Vectors) -> Scores:
    """How near a query is to each row, in 0..1, where 0 is how near it is to all on average: no texts are unlike."""
    usual = float(mean @ query)
    nearness: Scores = np.clip((vectors @ query - usual) / max(1 - usual, _ALMOST_NOTHING), 0, 1)
    return nearness


def _of_nearest(nearness: Scores, entry_numbers: npt.NDArray[np.int64]) -> dict[int, float]:
    """For each entry the mean over its nearest wordings, the nearest weighing most."""
    order = np.lexsort((-nearness, entry_numbers))
    nearness, entry_numbers = nearness[order], entry_numbers[order]
    ranks = np.arange(len(order)) - np.searchsorted(entry_numbers, entry_numbers)
    weights = np.maximum(_NEAREST - ranks, 0)
    means = np.bincount(entry_numbers, weights * nearness) / np.maximum(np.bincount(entry_numbers, weights), 1)
    return {entry: float(means[entry]) for entry in np.unique(entry_numbers).tolist()}


def _sureness(nearness: float, lead: float, length: int) -> float:
    return 1 / (1 + math.exp(_DOUBT - _NEARNESS * nearness - _LEAD * lead - _LENGTH * math.log(length)))


def _best(scores: Scores, limit: int) -> Rows:
    """The rows of the highest scores above 0."""
    rows = np.argpartition(-scores, limit)[:limit] if limit < len(scores) else np.arange(len(scores))
    return rows[scores[rows] > 0].astype(np.int32)


def _word_scores(index: Index, kind: Kind, concepts: Sequence[Concept]) -> Scores:
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


def _sound_scores(index: Index, query: str) -> Scores:
    scores = np.zeros(len(index.kinds), dtype=np.float32)
    total = 0.0
    for pair in set(reading_pairs(query)):
        weight = _inverse_frequency(index, "question", "sounds", pair)
        total += weight
        scores += weight * _presence(index, "question", "sounds", pair)
    return scores / total if total else scores


def _presence(index: Index, kind: Kind, sort: TermSort, term: str) -> Scores:
    """How much each row holds a term, in 0..1: BM25's term weight without the inverse document frequency."""
    lengths = index.lengths[sort]
    postings = index.postings(kind, sort, term)
    presence = np.zeros(len(lengths), dtype=np.float32)
    if len(postings.rows):
        relative = lengths[postings.rows] / index.average_lengths[kind, sort]
        damping = _SATURATION * (1 - _LENGTH_PENALTY + _LENGTH_PENALTY * relative)
        presence[postings.rows] = postings.counts / (postings.counts + damping)
    return presence


def _weight(index: Index, kind: Kind, concept: Concept) -> float:
    """The weight of the word itself; where no chunk holds it, that of its commonest alternative that one holds."""
    own, *others = (
        max(_inverse_frequency(index, kind, "words", term) for term in alternative.terms) for alternative in concept
    )
    if _held(index, kind, concept[0]):
        return own
    return min((weight for weight, a in zip(others, concept[1:], strict=True) if _held(index, kind, a)), default=own)


def _held(index: Index, kind: Kind, alternative: Alternative) -> bool:
    return all(len(index.postings(kind, "words", term).rows) for term in alternative.terms)


def _inverse_frequency(index: Index, kind: Kind, sort: TermSort, term: str) -> float:
    held = len(index.postings(kind, sort, term).rows)
    return float(np.log1p((index.sizes[kind] - held + 0.5) / (held + 0.5)))
