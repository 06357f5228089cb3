"""Measures retrieval and prints tables: `make bench-retrieval`, or `python -m tests.bench_retrieval --help`.

Ranking and time on question sets (JSQuAD, the last part of JaQuAD, the program page with the golden questions, the
repository's FAQ): BM25 over the same words, LangChain's vector store over the same vectors, and the product, with its
difference to BM25 by a paired bootstrap; and how many questions are refused once what answers them is taken away. Sets
whose data is not there are left out.
"""

import json
import math
import statistics
import tempfile
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, Any

import bm25s
import numpy as np
import typer
from langchain_core.documents import Document
from langchain_core.embeddings import Embeddings
from langchain_core.vectorstores import InMemoryVectorStore
from rich.console import Console
from rich.table import Table

from bot.matching import FAQ_FITS_NAMED
from knowledge.catalog import load_catalog, read_yaml
from knowledge.encoder.encoding import Encoder, load_encoder
from knowledge.matters import load_matters
from knowledge.reranking import load_reranker
from knowledge.search import RELEVANT, Searcher
from knowledge.store import Index, embedded_text, open_index, update_index
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
_HELD_OUT_FILES = 3  # of JaQuAD's files, the last; weights were chosen on the one before them
_COLUMNS = ("nDCG@10", "recall@5", "MRR", "hit@1")
_RESAMPLED = 2000
_WORDINGS = Path(__file__).parent / "golden" / "wordings.yaml"
_FEW = 8
_KEPT = 0.95


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
    """The repository's FAQ with a few wordings of each entry, as a user's own has; asked by somebody who saw none."""
    asked = read_yaml(_WORDINGS)
    chunks, questions = [], []
    for program, entries in load_catalog().faq.items():
        for entry in entries:
            chunks += [
                Chunk(f"{entry.id}-{number}", "question", program, program, text, program=program, target=entry.id)
                for number, text in enumerate(entry.questions[:_FEW])
            ]
        questions += [Question(row["asks"], frozenset({row["for"]}), program) for row in asked[program]]
    return QuestionSet(name, "question", chunks, questions)


def jaquad_articles(datasets: Path) -> Iterator[dict[str, Any]]:
    """The articles of JaQuAD's last files."""
    for path in sorted((datasets / "JaQuAD/data/train").glob("*.json"))[-_HELD_OUT_FILES:]:
        yield from json.loads(path.read_text(encoding="utf-8"))["data"]


def measure(question_set: QuestionSet, rank: Rank) -> np.ndarray[Any, Any]:
    """A row for each question: nDCG@10, whether a right one is among the first 5, reciprocal rank, right at once."""
    rows = []
    for question in question_set.questions:
        hits = [identifier in question.right for identifier in rank(question.text, question.program)[:10]]
        ideal = sum(1 / math.log2(i + 2) for i in range(min(10, len(question.right))))
        gain = sum(1 / math.log2(i + 2) for i, hit in enumerate(hits) if hit) / ideal
        rows.append((gain, any(hits[:5]), 1 / (hits.index(True) + 1) if any(hits) else 0, any(hits[:1])))
    return np.array(rows, dtype=float)


def beside(ours: np.ndarray[Any, Any], theirs: np.ndarray[Any, Any]) -> str:
    """The mean difference of two rankings over the same questions, with its 95% interval by a paired bootstrap."""
    differences = ours - theirs
    drawn = np.random.default_rng(1).integers(len(differences), size=(_RESAMPLED, len(differences)))
    low, high = np.quantile(differences[drawn].mean(axis=1), (0.025, 0.975))
    return f"{differences.mean():+.3f} ({low:+.3f} to {high:+.3f})"


def bm25_rank(question_set: QuestionSet) -> Rank:
    """BM25 (bm25s) over the same words: the baseline."""
    retriever = bm25s.BM25()
    retriever.index([index_terms(embedded_text(chunk)) for chunk in question_set.chunks], show_progress=False)
    programs = np.array([chunk.program for chunk in question_set.chunks])
    answers = [chunk.target or chunk.id for chunk in question_set.chunks]

    def rank(query: str, program: str) -> list[str]:
        scores = retriever.get_scores(index_terms(query))
        if program:
            scores = np.where((programs == program) | (programs == ""), scores, -1)
        return list(dict.fromkeys(answers[i] for i in np.argsort(-scores, kind="stable")[:100]))[:10]

    return rank


def langchain_rank(question_set: QuestionSet, index: Index) -> Rank:
    """The encoder alone, in LangChain's vector store."""
    answers = [chunk.target or chunk.id for chunk in question_set.chunks]
    store = InMemoryVectorStore(_IndexVectors(index))
    store.add_texts(
        [embedded_text(chunk) for chunk in question_set.chunks],
        [
            {"answer": answer, "program": chunk.program}
            for answer, chunk in zip(answers, question_set.chunks, strict=True)
        ],
    )

    def rank(query: str, program: str) -> list[str]:
        def allowed(document: Document) -> bool:
            return not program or document.metadata["program"] in (program, "")

        found = store.similarity_search(query, k=100, filter=allowed)
        return list(dict.fromkeys(document.metadata["answer"] for document in found))[:10]

    return rank


def product_rank(question_set: QuestionSet, searcher: Searcher) -> Rank:
    """What the product does."""
    if question_set.kind == "question":
        return lambda query, program: [hit.target for hit in searcher.entries(query, program=program, limit=10)]
    return lambda query, program: [hit.chunk.id for hit in searcher.search(query, program=program, limit=10)]


def learnt_rank(encoder: Encoder) -> Rank:
    """What wordings have taught of the repository's FAQ."""

    def rank(query: str, program: str) -> list[str]:
        vector = encoder.encode_queries([query])[0]
        asked_of = {program: 1.0} if program else load_matters().tell_program(vector)
        shares = {
            entry: share * likely
            for id, likely in asked_of.items()
            for entry, share in load_matters().tell(id, vector).items()
        }
        return sorted(shares, key=lambda entry: -shares[entry])[:10]

    return rank


class _IndexVectors(Embeddings):
    """The vectors of a fresh index, for LangChain: its rows stand in the order of the chunks."""

    def __init__(self, index: Index) -> None:
        self._index = index

    def embed_documents(self, texts: list[str]) -> list[list[float]]:
        blocks = np.array_split(np.arange(len(texts), dtype=np.int32), len(texts) // 1000 + 1)
        return np.concatenate([self._index.vectors(rows) for rows in blocks]).tolist()

    def embed_query(self, text: str) -> list[float]:
        return self._index.encoder.encode_queries([text])[0].tolist()


def main(
    datasets: Annotated[Path | None, typer.Option(help="folder with JGLUE/ and JaQuAD/")] = None,
    page_file: Annotated[Path | None, typer.Option(help="the program page as text")] = None,
    golden: Annotated[Path | None, typer.Option(help="questions on the page, as JSON lines")] = None,
    embedding_model: Annotated[str, typer.Option(help="another encoder")] = "",
    reranker_model: Annotated[str, typer.Option(help="a cross-encoder")] = "",
    questions: Annotated[int, typer.Option(help="at most so many of each large set")] = 250,
) -> None:
    """Measures the sets that are there and prints the tables."""
    sets = [faq("faq")]
    if page_file and golden:
        sets.append(page("page", page_file, golden))
    if datasets:
        jsquad = json.loads((datasets / "JGLUE/jsquad/valid-v1.3.json").read_text(encoding="utf-8"))
        sets.append(squad("jsquad", jsquad["data"], questions))
        sets.append(squad("jaquad", jaquad_articles(datasets), questions))
    encoder = load_encoder(embedding_model)
    reranker = load_reranker(reranker_model) if reranker_model else None
    ranking = Table("set", "questions", "ranking", *_COLUMNS, "nDCG@10 against BM25", "p50 ms", "p95 ms")
    refusing = Table("set", "threshold", "kept, with an answer", "refused, with the answer taken away")
    measured: dict[str, dict[str, np.ndarray[Any, Any]]] = {}
    for question_set in sets:
        with tempfile.TemporaryDirectory() as folder:
            update_index(Path(folder), question_set.chunks, encoder, lambda read: None)
            searcher = Searcher(open_index(Path(folder), encoder), encoder)
            ranks = {
                "BM25": bm25_rank(question_set),
                "encoder (LangChain)": langchain_rank(question_set, open_index(Path(folder), encoder)),
                "product": product_rank(question_set, searcher),
            }
            if question_set.kind == "question":
                ranks["learnt"] = learnt_rank(load_encoder())
            if reranker:
                reranked = Searcher(open_index(Path(folder), encoder), encoder, reranker)
                ranks["product, reranked"] = product_rank(question_set, reranked)
            for name, rank in ranks.items():
                figures = measure(question_set, rank)
                measured.setdefault(name, {})[question_set.name] = figures
                baseline = measured["BM25"][question_set.name]
                means = [f"{mean:.3f}" for mean in figures.mean(axis=0)]
                difference = "" if name == "BM25" else beside(figures[:, 0], baseline[:, 0])
                times = _milliseconds(rank, [question.text for question in question_set.questions[:100]])
                ranking.add_row(question_set.name, str(len(figures)), name, *means, difference, *times)
            for row in refused(question_set, searcher):
                refusing.add_row(question_set.name, *(f"{figure:.2f}" for figure in row))
            searcher.close()
    for name in ("encoder (LangChain)", "product"):
        pooled, baseline = (np.concatenate(list(measured[one].values())) for one in (name, "BM25"))
        means = [f"{mean:.3f}" for mean in pooled.mean(axis=0)]
        ranking.add_row("pooled", str(len(pooled)), name, *means, beside(pooled[:, 0], baseline[:, 0]))
    for table in (ranking, refusing):
        Console(width=140).print(table)


def refused(question_set: QuestionSet, searcher: Searcher) -> list[tuple[float, float, float]]:
    """A threshold, the share of questions that it keeps, and of those it refuses once what is right is gone.

    First the product's own threshold, then the one that keeps 95% of this set.
    """
    best, others = [], []
    for question in question_set.questions:
        if question_set.kind == "question":
            scores = {h.target: h.score for h in searcher.entries(question.text, program=question.program, limit=30)}
        else:
            hits = searcher.search(question.text, program=question.program, limit=30)
            scores = {hit.chunk.id: hit.score for hit in hits}
        best.append(max(scores.values(), default=0))
        others.append(max((score for answer, score in scores.items() if answer not in question.right), default=0))
    own = FAQ_FITS_NAMED if question_set.kind == "question" else RELEVANT
    return [
        (threshold, float(np.mean(np.array(best) >= threshold)), float(np.mean(np.array(others) < threshold)))
        for threshold in (own, float(np.quantile(best, 1 - _KEPT)))
    ]


def _milliseconds(rank: Rank, queries: Sequence[str]) -> tuple[str, str]:
    """Median and 95th percentile of one search, its query encoded anew."""
    times = []
    for query in queries:
        start = time.perf_counter()
        rank(f"{query} ", "")
        times.append(1000 * (time.perf_counter() - start))
    return f"{statistics.median(times):.1f}", f"{statistics.quantiles(times, n=20)[-1]:.1f}"


if __name__ == "__main__":
    typer.run(main)
