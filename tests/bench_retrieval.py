"""Measures retrieval and prints tables: `make bench-retrieval`, or `python -m tests.bench_retrieval --help`.

Ranking on question sets (JSQuAD, the held-out part of JaQuAD, the program page with the golden questions, the
repository's FAQ), refusal of unanswerable questions, and latency beside LangChain's plain similarity search.
Sets whose data is not there are left out.
"""

import json
import math
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import bm25s
import numpy as np
import typer
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import InMemoryVectorStore
from rich.console import Console
from rich.table import Table

from knowledge.catalog import load_catalog
from knowledge.embedding import Embedding, load_embedding
from knowledge.search import Searcher
from knowledge.store import Kind, embedded_text, open_index, update_index
from knowledge.types import Chunk
from knowledge.words import index_terms

Rank = Callable[[str, str], Sequence[str]]
"""Ids of chunks, best first, for a query and its program ("" = any)."""

_HELD_OUT_FILES = 3  # of JaQuAD, as in knowledge.training
_PAGE_KINDS = frozenset({"content", "procedure", "history", "cost", "contact"})
_PAGE_PROGRAMS = {
    "計画策定支援": "keikaku",
    "推進体制構築支援": "suishin",
    "「地域情報化アドバイザー」派遣事業": "adviser",
}
_CUTS = (1, 3, 5, 10)


@dataclass(frozen=True)
class Question:
    """What is asked, of which program, and the ids of the chunks that answer it."""

    text: str
    right: frozenset[str]
    program: str = ""


@dataclass(frozen=True)
class QuestionSet:
    """Chunks and the questions asked of them."""

    name: str
    kind: Kind
    chunks: Sequence[Chunk]
    questions: Sequence[Question]


def squad(name: str, articles: Iterable[Mapping[str, Any]], limit: int) -> QuestionSet:
    """Question to paragraph; at most `limit` questions, evenly spread over the set."""
    chunks, questions = [], []
    for article in articles:
        for paragraph in article["paragraphs"]:
            text = paragraph["context"].removeprefix(f"{article['title']} [SEP] ")
            chunk = Chunk(f"{name}-{len(chunks)}", "", "passage", name, name, text)
            chunks.append(chunk)
            questions += [Question(qa["question"], frozenset({chunk.id})) for qa in paragraph["qas"]]
    step = max(1, len(questions) // limit)
    return QuestionSet(name, "passage", chunks, questions[::step][:limit])


def page_chunks(page: Path) -> list[Chunk]:
    """The program page by paragraph, with the headings above it; teasers, bylines and headings are none."""
    chunks = []
    program, heading = "", ""
    for number, line in enumerate(page.read_text(encoding="utf-8").splitlines(), 1):
        line = line.strip()
        if line in _PAGE_PROGRAMS:
            program, heading = line, ""
        elif line.startswith("・") or line == "活用のポイント":
            heading = line.removeprefix("・")
        elif line and program and not line.endswith("…"):
            chunks.append(
                Chunk(
                    f"line-{number}", "", "passage", "page", "総務省の支援事業", line,
                    program=_PAGE_PROGRAMS[program], headings=tuple(h for h in (program, heading) if h),
                )
            )
    return chunks


def page(name: str, source: Path, golden: Path) -> QuestionSet:
    """Golden questions of content to the lines of the page that answer them."""
    chunks = page_chunks(source)
    ids = {chunk.id for chunk in chunks}
    questions = []
    for record in map(json.loads, golden.read_text(encoding="utf-8").splitlines()):
        right = ids.intersection(f"line-{number}" for number in record["lines"])
        if record["kind"] in _PAGE_KINDS and record["expect"]["status"] == "answered" and right:
            questions.append(Question(record["turns"][-1], frozenset(right), record["program"] or ""))
    return QuestionSet(name, "passage", chunks, questions)


def faq(name: str) -> QuestionSet:
    """The repository's FAQ: the last wording of each entry, which training leaves out, to the other wordings."""
    chunks, questions = [], []
    for program, entries in load_catalog().faq.items():
        for entry in entries:
            *known, asked = entry.questions
            ids = [f"{entry.id}-{number}" for number in range(len(known))]
            chunks += [
                Chunk(identifier, "", "question", program, program, wording, program=program, target=entry.id)
                for identifier, wording in zip(ids, known, strict=True)
            ]
            questions.append(Question(asked, frozenset(ids), program))
    return QuestionSet(name, "question", chunks, questions)


def measure(question_set: QuestionSet, rank: Rank) -> dict[str, float]:
    """nDCG@10, recall at the cuts (a right chunk is among the first k) and MRR@10, over the set."""
    gains, reciprocal = [], []
    found: dict[int, list[bool]] = {cut: [] for cut in _CUTS}
    for question in question_set.questions:
        hits = [identifier in question.right for identifier in rank(question.text, question.program)[:10]]
        ideal = sum(1 / math.log2(i + 2) for i in range(min(10, len(question.right))))
        gains.append(sum(1 / math.log2(i + 2) for i, hit in enumerate(hits) if hit) / ideal)
        reciprocal.append(1 / (hits.index(True) + 1) if any(hits) else 0.0)
        for cut in _CUTS:
            found[cut].append(any(hits[:cut]))
    return {
        "nDCG@10": statistics.fmean(gains),
        "MRR": statistics.fmean(reciprocal),
        **{f"R@{cut}": statistics.fmean(values) for cut, values in found.items()},
    }


def bm25_rank(chunks: Sequence[Chunk]) -> Rank:
    """BM25 (bm25s) over the same words: the baseline."""
    retriever = bm25s.BM25()
    retriever.index([index_terms(embedded_text(chunk)) for chunk in chunks], show_progress=False)
    programs = np.array([chunk.program for chunk in chunks])

    def rank(query: str, program: str) -> list[str]:
        scores = retriever.get_scores(index_terms(query))
        if program:
            scores = np.where((programs == program) | (programs == ""), scores, -1)
        return [chunks[i].id for i in np.argsort(-scores, kind="stable")[:10]]

    return rank


def dense_rank(chunks: Sequence[Chunk], embedding: Embedding) -> Rank:
    """The embedding alone, compared with every chunk."""
    vectors = embedding.embed_passages([embedded_text(chunk) for chunk in chunks])
    programs = np.array([chunk.program for chunk in chunks])

    def rank(query: str, program: str) -> list[str]:
        scores = vectors @ embedding.embed_queries([query])[0]
        if program:
            scores = np.where((programs == program) | (programs == ""), scores, -1)
        return [chunks[i].id for i in np.argsort(-scores, kind="stable")[:10]]

    return rank


def hybrid_rank(searcher: Searcher, kind: Kind) -> Rank:
    """What the product does."""
    return lambda query, program: [
        hit.chunk.id for hit in searcher.search(query, program=program, kind=kind, limit=10)
    ]


if __name__ == "__main__":
    typer.run(main)
