"""Trains the repository's own embedding: `python -m knowledge.training --datasets DIR`. Minutes on two CPU cores.

A static model (one vector for each token, averaged) learns from pairs of texts that belong together, each against
the rest of its batch. Its tokenizer reads `words.segmented` text. Seed, order and data are fixed, so that a run on
the same machine gives the same model.
"""

import json
import os
import random
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import pairwise
from pathlib import Path
from typing import Annotated, Any

import numpy as np
import torch
import typer
from scipy.stats import spearmanr
from sentence_transformers import SentenceTransformer
from sentence_transformers.sentence_transformer.modules import Normalize, StaticEmbedding
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers

from knowledge.catalog import load_catalog
from knowledge.words import segmented

SEED = 7
VOCABULARY = 16_000
DIMENSION = 256
DIMENSIONS_TRAINED = (256, 128, 64)  # Matryoshka: the first 64 or 128 numbers serve alone, too
EPOCHS = 3
BATCH = 1024
LEARNING_RATE = 0.02
SCALE = 20.0  # what cosines are multiplied with before the softmax
HELD_OUT_FILES = 3  # of JaQuAD's files, the last: their articles are for measuring, never for training
OWN_REPEATS = 8  # how often the domain's own pairs come in an epoch

_MODEL_FOLDER = Path(__file__).parent / "model"
_OWN_PAIRS = Path(__file__).parent / "training_pairs.jsonl"


@dataclass(frozen=True)
class Pair:
    """Two texts that belong together; pairs with the same `key` are not set against each other in a batch."""

    query: str
    passage: str
    key: str


def main(
    datasets: Annotated[Path, typer.Option(help="学習データのフォルダー")],
    output: Annotated[Path, typer.Option(help="モデルを書き出すフォルダー")] = _MODEL_FOLDER,
) -> None:
    """Trains the model, measures it on pairs that were held out, and writes it with its figures."""
    random.seed(SEED)
    torch.manual_seed(SEED)
    sources = {name: _segment(pairs) for name, pairs in read_sources(datasets).items()}
    tokenizer = _train_tokenizer(
        text for pairs in sources.values() for pair in pairs for text in (pair.query, pair.passage)
    )
    weights = _train(tokenizer, sources)
    output.mkdir(parents=True, exist_ok=True)
    model = SentenceTransformer(
        modules=[StaticEmbedding(tokenizer, embedding_weights=weights), Normalize()], device="cpu"
    )
    typer.echo(f"JSTS valid Spearman {measure_similarity(model, datasets):.3f}")
    _save(model, output)


def read_sources(datasets: Path) -> dict[str, list[Pair]]:
    """The training pairs of each source."""
    return {
        "jaquad": list(_jaquad(datasets)),
        "sentences": list(_sentences(datasets)),
        "jsts": list(_jsts(datasets)),
        "commonsense": list(_commonsense(datasets)),
        "law": list(_law(datasets)),
        "synonyms": list(_synonyms(datasets)),
        "own": list(_own()) * OWN_REPEATS,
        "faq": list(_faq()) * OWN_REPEATS,
    }


def jaquad_articles(datasets: Path, *, held_out: bool) -> Iterator[dict[str, Any]]:
    """JaQuAD's articles: those to train with, or those held out."""
    files = sorted((datasets / "JaQuAD/data/train").glob("*.json"))
    for path in files[-HELD_OUT_FILES:] if held_out else files[:-HELD_OUT_FILES]:
        yield from json.loads(path.read_text(encoding="utf-8"))["data"]


def _jaquad(datasets: Path) -> Iterator[Pair]:
    for article in jaquad_articles(datasets, held_out=False):
        for paragraph in article["paragraphs"]:
            context = paragraph["context"]
            yield Pair(article["title"], context, context)
            for question in paragraph["qas"]:
                yield Pair(question["question"], context, context)


def _sentences(datasets: Path) -> Iterator[Pair]:
    for article in jaquad_articles(datasets, held_out=False):
        for paragraph in article["paragraphs"]:
            sentences = [s for s in paragraph["context"].replace("\n", "").split("。") if len(s) > 8]
            if len(sentences) > 1:
                chosen = random.randrange(len(sentences))
                rest = "。".join(sentences[:chosen] + sentences[chosen + 1 :])
                yield Pair(sentences[chosen], rest, paragraph["context"])
    for sentences in json.loads((datasets / "wikipedia-annotated/docs.json").read_text(encoding="utf-8")):
        if len(sentences) > 1:
            yield Pair(sentences[0], "。".join(sentences[1:]), sentences[0])


def _jsts(datasets: Path) -> Iterator[Pair]:
    for record in _json_lines(datasets / "JGLUE/jsts/train-v1.3.json"):
        if record["label"] >= 3.6:
            yield Pair(record["sentence1"], record["sentence2"], record["sentence1"])


def _commonsense(datasets: Path) -> Iterator[Pair]:
    for record in _json_lines(datasets / "JGLUE/jcommonsenseqa/train-v1.3.json"):
        answer = record[f"choice{record['label']}"]
        yield Pair(record["question"], answer, answer)


def _law(datasets: Path) -> Iterator[Pair]:
    for record in json.loads((datasets / "lawqa_jp/selection.json").read_text(encoding="utf-8"))["samples"]:
        context = record["コンテキスト"]
        answer = next(c[2:] for c in record["選択肢"].split("\n") if c.startswith(record["output"]))
        yield Pair(record["問題文"], context, context)
        yield Pair(answer, context, context)


def _synonyms(datasets: Path) -> Iterator[Pair]:
    groups: dict[str, list[str]] = defaultdict(list)
    for line in (datasets / "sudachi-synonyms/synonyms.txt").read_text(encoding="utf-8").splitlines():
        fields = line.split(",")
        if len(fields) > 8 and fields[2] != "2":
            groups["s" + fields[0]].append(fields[8])
    for line in (datasets / "wiktionary-wordnet-ja/wn-wikt-jpn.tab").read_text(encoding="utf-8").splitlines()[1:]:
        synset, _, word = line.split("\t")
        groups["w" + synset].append(word)
    for key, words in groups.items():
        for first, second in pairwise(words):
            yield Pair(first, second, key)


def _own() -> Iterator[Pair]:
    for record in _json_lines(_OWN_PAIRS):
        for question in record["questions"]:
            yield Pair(question, record["answer"], record["answer"])


def _faq() -> Iterator[Pair]:
    """The programs' FAQ: each wording to its guide's section and to another wording, the last left for measuring."""
    catalog = load_catalog()
    for program, entries in catalog.faq.items():
        sections = read_sections(catalog.guides[program])
        for entry in entries:
            wordings = entry.questions[:-1]
            for wording, other in zip(wordings, wordings[1:] + wordings[:1], strict=True):
                yield Pair(wording, other, entry.id)
                if entry.section:
                    yield Pair(wording, sections[entry.section], sections[entry.section])


def read_sections(guide: Path) -> dict[str, str]:
    """A guide's sections: heading to heading and text, the evidence left out."""
    sections = {}
    for section in guide.read_text(encoding="utf-8").split("\n## ")[1:]:
        heading, *lines = section.splitlines()
        sections[heading.strip()] = "\n".join([heading, *(line for line in lines if not line.startswith(">"))])
    return sections


def _json_lines(path: Path) -> Iterator[dict[str, Any]]:
    for line in path.read_text(encoding="utf-8").splitlines():
        yield json.loads(line)


def _segment(pairs: Iterable[Pair]) -> list[Pair]:
    known: dict[str, str] = {}

    def once(text: str) -> str:
        if text not in known:
            known[text] = segmented(text)
        return known[text]

    both = (Pair(once(pair.query), once(pair.passage), pair.key) for pair in pairs)
    return [pair for pair in both if pair.query and pair.passage and pair.query != pair.passage]


def _train_tokenizer(texts: Iterable[str]) -> Tokenizer:
    tokenizer = Tokenizer(models.Unigram())
    tokenizer.normalizer = normalizers.Sequence([normalizers.NFKC(), normalizers.Lowercase()])
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    trainer = trainers.UnigramTrainer(
        vocab_size=VOCABULARY, special_tokens=["[UNK]"], unk_token="[UNK]", max_piece_length=12, show_progress=False
    )
    tokenizer.train_from_iterator(sorted(set(texts)), trainer)
    return tokenizer


def _train(tokenizer: Tokenizer, sources: dict[str, list[Pair]]) -> np.ndarray[Any, np.dtype[np.float32]]:
    size = tokenizer.get_vocab_size()
    bag = torch.nn.EmbeddingBag(size, DIMENSION, mode="mean")
    torch.nn.init.normal_(bag.weight, std=0.1)
    optimizer = torch.optim.Adam(bag.parameters(), lr=LEARNING_RATE, betas=(0.9, 0.99))
    unknown = tokenizer.token_to_id("[UNK]")
    ids: dict[str, list[int]] = {}
    for pairs in sources.values():
        texts = sorted({text for pair in pairs for text in (pair.query, pair.passage)})
        encoded = tokenizer.encode_batch(texts, add_special_tokens=False)
        ids.update((text, [i for i in e.ids if i != unknown]) for text, e in zip(texts, encoded, strict=True))
    batches = [batch for _ in range(EPOCHS) for batch in _batches(sources)]
    for step, batch in enumerate(batches):
        for group in optimizer.param_groups:
            group["lr"] = LEARNING_RATE * (1 - step / len(batches))
        queries = _embed(bag, [ids[pair.query] for pair in batch])
        passages = _embed(bag, [ids[pair.passage] for pair in batch])
        loss = _loss(queries, passages, [pair.key for pair in batch])
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    weights: np.ndarray[Any, np.dtype[np.float32]] = bag.weight.detach().numpy()
    weights[unknown] = 0  # so that it counts for nothing where a loader does not leave it out
    return weights


def _embed(bag: torch.nn.EmbeddingBag, texts: Sequence[Sequence[int]]) -> torch.Tensor:
    offsets = np.cumsum([0, *(len(text) for text in texts[:-1])])
    vectors: torch.Tensor = bag(torch.tensor([token for text in texts for token in text]), torch.from_numpy(offsets))
    return vectors


def _loss(queries: torch.Tensor, passages: torch.Tensor, keys: Sequence[str]) -> torch.Tensor:
    """Each query against all passages of the batch and back, in each of the trained dimensions."""
    numbers = {key: i for i, key in enumerate(dict.fromkeys(keys))}
    of_row = torch.tensor([numbers[key] for key in keys])
    same = of_row[:, None] == of_row[None, :]
    same.fill_diagonal_(False)
    targets = torch.arange(len(keys))
    total = torch.zeros(())
    for dimension in DIMENSIONS_TRAINED:
        left = torch.nn.functional.normalize(queries[:, :dimension])
        right = torch.nn.functional.normalize(passages[:, :dimension])
        scores = (SCALE * left @ right.T).masked_fill(same, -torch.inf)
        total = total + torch.nn.functional.cross_entropy(scores, targets)
        total = total + torch.nn.functional.cross_entropy(scores.T, targets)
    return total


def _batches(sources: dict[str, list[Pair]]) -> list[list[Pair]]:
    """One epoch: batches of one source each, in random order; a key comes as rarely as can be in a batch."""
    batches = []
    for pairs in sources.values():
        shuffled = random.sample(pairs, len(pairs))
        turns: dict[str, int] = defaultdict(int)
        rounds: dict[int, list[Pair]] = defaultdict(list)
        for pair in shuffled:
            rounds[turns[pair.key]].append(pair)
            turns[pair.key] += 1
        ordered = [pair for number in sorted(rounds) for pair in rounds[number]]
        batches += [ordered[start : start + BATCH] for start in range(0, len(ordered), BATCH)]
    return random.sample(batches, len(batches))


def measure_similarity(model: SentenceTransformer, datasets: Path) -> float:
    """Spearman's correlation of the cosines with people's judgements in JSTS valid."""
    records = list(_json_lines(datasets / "JGLUE/jsts/valid-v1.3.json"))
    left = model.encode([segmented(record["sentence1"]) for record in records])
    right = model.encode([segmented(record["sentence2"]) for record in records])
    return float(spearmanr((left * right).sum(axis=1), [record["label"] for record in records]).statistic)


def _save(model: SentenceTransformer, output: Path) -> None:
    model.half().save(str(output), create_model_card=False)
    for path in output.rglob("*"):  # weights are written readable by their owner only
        os.chmod(path, 0o755 if path.is_dir() else 0o644)


if __name__ == "__main__":
    typer.run(main)
