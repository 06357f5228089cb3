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
from knowledge.reranking import load_reranker
from knowledge.search import RELEVANT, Searcher
from knowledge.store import embedded_text, open_index, update_index
from knowledge.training import jaquad_articles
from knowledge.types import Chunk, Kind
from knowledge.words import index_terms

Rank = Callable[[str, str], Sequence[str]]
"""What answers, best first, for a query and its program ("" = any): ids of passages, or of entries of the FAQ."""

_PAGE_KINDS = frozenset({"content", "procedure", "history", "cost", "contact"})
_PAGE_PROGRAMS = {
    "計画策定支援": "keikaku",
    "推進体制構築支援": "suishin",
    "「地域情報化アドバイザー」派遣事業": "adviser",
}
_CUTS = (1, 3, 5, 10)
_ENTRY_FITS = 0.35  # as in bot.finding


@dataclass(frozen=True)
class Question:
    """What is asked, of which program, and the ids of what answers it."""

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
            chunk = Chunk(f"{name}-{len(chunks)}", "passage", name, name, text)
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
                    f"line-{number}",
                    "passage",
                    "page",
                    "総務省の支援事業",
                    line,
                    program=_PAGE_PROGRAMS[program],
                    headings=tuple(h for h in (program, heading) if h),
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
    """The repository's FAQ: the last wording of each entry, which training leaves out, to the entry."""
    chunks, questions = [], []
    for program, entries in load_catalog().faq.items():
        for entry in entries:
            *known, asked = entry.questions
            ids = [f"{entry.id}-{number}" for number in range(len(known))]
            chunks += [
                Chunk(identifier, "question", program, program, wording, program=program, target=entry.id)
                for identifier, wording in zip(ids, known, strict=True)
            ]
            questions.append(Question(asked, frozenset({entry.id}), program))
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


def bm25_rank(question_set: QuestionSet) -> Rank:
    """BM25 (bm25s) over the same words: the baseline."""
    retriever = bm25s.BM25()
    retriever.index([index_terms(embedded_text(chunk)) for chunk in question_set.chunks], show_progress=False)
    return _ranked(question_set, lambda query: retriever.get_scores(index_terms(query)))


def dense_rank(question_set: QuestionSet, embedding: Embedding) -> Rank:
    """The embedding alone, compared with every chunk."""
    vectors = embedding.embed_passages([embedded_text(chunk) for chunk in question_set.chunks])
    return _ranked(question_set, lambda query: vectors @ embedding.embed_queries([query])[0])


def _ranked(question_set: QuestionSet, score: Callable[[str], np.ndarray[Any, Any]]) -> Rank:
    programs = np.array([chunk.program for chunk in question_set.chunks])
    answers = [chunk.target or chunk.id for chunk in question_set.chunks]

    def rank(query: str, program: str) -> list[str]:
        scores = score(query)
        if program:
            scores = np.where((programs == program) | (programs == ""), scores, -1)
        return list(dict.fromkeys(answers[i] for i in np.argsort(-scores, kind="stable")[:100]))[:10]

    return rank


def product_rank(question_set: QuestionSet, searcher: Searcher) -> Rank:
    """What the product does."""
    if question_set.kind == "question":
        return lambda query, program: [hit.target for hit in searcher.entries(query, program=program, limit=10)]
    return lambda query, program: [hit.chunk.id for hit in searcher.search(query, program=program, limit=10)]


class _OurEmbeddings(Embeddings):
    """The product's vectors, for LangChain."""

    def __init__(self, embedding: Embedding) -> None:
        self._embedding = embedding

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        return self._embedding.embed_passages(texts).tolist()

    def embed_query(self, text: str) -> list[float]:
        return self._embedding.embed_queries([text])[0].tolist()


def main(
    datasets: Annotated[Path | None, typer.Option(help="folder with JGLUE/ and JaQuAD/")] = None,
    page_file: Annotated[Path | None, typer.Option(help="the program page as text")] = None,
    golden: Annotated[Path | None, typer.Option(help="questions on the page, as JSON lines")] = None,
    embedding_model: Annotated[str, typer.Option(help="another embedding model")] = "",
    reranker_model: Annotated[str, typer.Option(help="a cross-encoder")] = "",
    questions: Annotated[int, typer.Option(help="at most so many of each large set")] = 1000,
) -> None:
    """Measures the sets that are there and prints the tables."""
    sets = [faq("faq")]
    if page_file and golden:
        sets.append(page("page", page_file, golden))
    if datasets:
        jsquad = json.loads((datasets / "JGLUE/jsquad/valid-v1.3.json").read_text(encoding="utf-8"))
        sets.append(squad("jsquad", jsquad["data"], questions))
        sets.append(squad("jaquad", jaquad_articles(datasets, held_out=True), questions))
    embedding = load_embedding(embedding_model)
    reranker = load_reranker(reranker_model) if reranker_model else None
    ranking = Table("set", "questions", "ranking", "nDCG@10", *(f"R@{cut}" for cut in _CUTS), "MRR")
    refusing = Table("set", "kept, with an answer", "refused, with the answer taken away")
    latency = Table("set", "chunks", "product p50 ms", "p95 ms", "LangChain p50 ms", "p95 ms")
    for question_set in sets:
        with tempfile.TemporaryDirectory() as folder:
            update_index(Path(folder), question_set.chunks, embedding, lambda read: None)
            searcher = Searcher(open_index(Path(folder), embedding), embedding)
            ranks = {
                "BM25": bm25_rank(question_set),
                "dense": dense_rank(question_set, embedding),
                "hybrid": product_rank(question_set, searcher),
            }
            if reranker:
                reranked = Searcher(open_index(Path(folder), embedding), embedding, reranker)
                ranks["hybrid + reranker"] = product_rank(question_set, reranked)
            for name, rank in ranks.items():
                figures = measure(question_set, rank)
                columns = ("nDCG@10", *(f"R@{cut}" for cut in _CUTS), "MRR")
                row = [f"{figures[column]:.3f}" for column in columns]
                ranking.add_row(question_set.name, str(len(question_set.questions)), name, *row)
            refusing.add_row(question_set.name, *(f"{share:.2f}" for share in refused(question_set, searcher)))
            plain = InMemoryVectorStore(_OurEmbeddings(embedding))
            plain.add_texts([embedded_text(chunk) for chunk in question_set.chunks])
            asked = [question.text for question in question_set.questions[:200]]
            ours = _milliseconds(lambda text, search=ranks["hybrid"]: search(text, ""), asked)
            theirs = _milliseconds(lambda text, store=plain: store.similarity_search(text, k=10), asked)
            latency.add_row(question_set.name, str(len(question_set.chunks)), *ours, *theirs)
            searcher.close()
    for table in (ranking, refusing, latency):
        Console(width=120).print(table)


def refused(question_set: QuestionSet, searcher: Searcher) -> tuple[float, float]:
    """The share of questions whose best hit passes the threshold, and of those refused once what is right is gone."""
    kept, refusals = [], []
    for question in question_set.questions:
        if question_set.kind == "question":
            scores = {h.target: h.score for h in searcher.entries(question.text, program=question.program, limit=30)}
            threshold = _ENTRY_FITS
        else:
            hits = searcher.search(question.text, program=question.program, limit=30)
            scores, threshold = {hit.chunk.id: hit.score for hit in hits}, RELEVANT
        kept.append(max(scores.values(), default=0) >= threshold)
        others = [score for answer, score in scores.items() if answer not in question.right]
        refusals.append(max(others, default=0) < threshold)
    return statistics.fmean(kept), statistics.fmean(refusals)


def _milliseconds(search: Callable[[str], object], queries: Sequence[str]) -> tuple[str, str]:
    search(queries[0])
    times = []
    for query in queries:
        start = time.perf_counter()
        search(query)
        times.append(1000 * (time.perf_counter() - start))
    return f"{statistics.median(times):.1f}", f"{statistics.quantiles(times, n=20)[-1]:.1f}"


if __name__ == "__main__":
    typer.run(main)
