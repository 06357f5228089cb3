"""The encoders: the one that ships beside sentence-transformers, and models named by a setting."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, models, pre_tokenizers

from knowledge.encoder.encoding import SHIPPED_MODEL, Encoder, Vectors, load_encoder, load_encoder_named

DATA = Path(__file__).parent.parent / "data"
RECORDS = [json.loads(line) for line in (DATA / "encoder_texts.jsonl").read_text(encoding="utf-8").splitlines()]
QUERIES = [record["text"] for record in RECORDS if record["kind"] == "query"]
PASSAGES = [record["text"] for record in RECORDS if record["kind"] == "passage"]


@pytest.fixture(scope="module")
def shipped() -> Encoder:
    return load_encoder()


def test_vectors_are_those_of_sentence_transformers(shipped: Encoder) -> None:
    ours = np.concatenate([shipped.encode_queries(QUERIES), shipped.encode_passages(PASSAGES)])
    theirs = np.load(DATA / "encoder_vectors.npy")
    assert len(theirs) == 40
    assert (ours * theirs).sum(axis=1).min() > 0.99


def test_what_asks_and_what_answers_are_read_differently(shipped: Encoder) -> None:
    assert (shipped.encode_queries(["謝金"]) @ shipped.encode_passages(["謝金"]).T).item() < 0.99


@pytest.mark.parametrize("text", ["", "  ", "?!、。", "🙂"])
def test_nothing_to_read_is_a_row_of_zeros_beside_others(shipped: Encoder, text: str) -> None:
    for rows in (shipped.encode_queries([text, "謝金"]), shipped.encode_passages([text, "謝金"])):
        assert np.linalg.norm(rows, axis=1) == pytest.approx([0, 1], abs=1e-5)


def test_no_texts_are_no_rows(shipped: Encoder) -> None:
    assert shipped.encode_queries([]).shape == shipped.encode_passages([]).shape == (0, shipped.dimension)


@pytest.mark.parametrize(
    ("typed", "plain"),
    [("ﾃﾞｼﾞﾀﾙ化", "デジタル化"), ("Ｗｉ－Ｆｉ", "Wi-Fi"), ("  謝金\n", "謝金"), ("①番", "1番")],
)
def test_ways_of_writing_are_one(shipped: Encoder, typed: str, plain: str) -> None:
    assert np.allclose(shipped.encode_passages([typed]), shipped.encode_passages([plain]), atol=1e-6)


def test_a_typed_control_token_is_text(shipped: Encoder) -> None:
    assert not np.allclose(shipped.encode_passages(["謝金</s>"]), shipped.encode_passages(["謝金"]), atol=1e-2)


@settings(max_examples=20)
@given(st.lists(st.sampled_from(QUERIES), min_size=2, max_size=8))
def test_vectors_do_not_depend_on_the_batch(shipped: Encoder, texts: list[str]) -> None:
    together = shipped.encode_passages(texts)
    assert np.allclose(together[:1], shipped.encode_passages(texts[:1]), atol=1e-4)


def test_a_query_asked_again_is_not_run_again() -> None:
    asked: list[str] = []

    def run(texts: list[str]) -> Vectors:
        asked.extend(texts)
        return np.eye(len(texts), 3, dtype=np.float32)

    encoder = Encoder("three", 3, ("問: ", "文: "), run)
    first = encoder.encode_queries(["謝金", "旅費", "謝金"])
    assert asked == ["問: 謝金", "問: 旅費"]
    assert np.array_equal(first[0], first[2])
    encoder.encode_queries(["旅費", "期間"])
    assert asked == ["問: 謝金", "問: 旅費", "問: 期間"]


def test_the_default_imports_no_torch() -> None:
    code = (
        "import sys; from knowledge.encoder.encoding import load_encoder; load_encoder().encode_queries(['謝金']); "
        "print([m for m in ('torch', 'sentence_transformers', 'transformers') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_model_that_ships_is_small_readable_by_all_and_described() -> None:
    files = {path.name: path for path in SHIPPED_MODEL.iterdir()}
    assert set(files) == {"README.md", "kept.json", "lower.onnx", "upper.onnx", "tokenizer.json"}
    assert sum(path.stat().st_size for path in files.values()) <= 25 * 2**20
    assert all(path.stat().st_mode & 0o044 == 0o044 for path in files.values())


def test_an_encoder_is_found_again_by_the_name_of_its_vectors(shipped: Encoder) -> None:
    again = load_encoder_named(shipped.name)
    assert again is not None
    assert again.name == shipped.name
    assert load_encoder_named("madoguchi-static-0123456789ab") is None


def tiny_model(folder: Path, prompts: dict[str, str]) -> str:
    """A sentence-transformers model of a few tokens, saved to be loaded without a network."""
    from sentence_transformers import SentenceTransformer
    from sentence_transformers.sentence_transformer.modules import Normalize, StaticEmbedding

    words = ["[UNK]", "謝金", "謝礼", "query:", "passage:", "検索クエリ:", "検索文書:", "問:", "文:"]
    tokenizer = Tokenizer(models.WordLevel({word: i for i, word in enumerate(words)}, unk_token="[UNK]"))
    tokenizer.pre_tokenizer = pre_tokenizers.WhitespaceSplit()
    weights = np.eye(len(words), 16, dtype=np.float32)
    SentenceTransformer(
        modules=[StaticEmbedding(tokenizer, embedding_weights=weights), Normalize()], prompts=prompts, device="cpu"
    ).save(str(folder), create_model_card=False)
    return str(folder)


@pytest.mark.parametrize(
    ("folder", "prompts", "query_token", "passage_token"),
    [
        ("own-prompts", {"query": "問: ", "document": "文: "}, "問:", "文:"),
        ("own-prompts-win-e5-", {"query": "問: ", "document": "文: "}, "問:", "文:"),
        ("ruri-v3-tiny", {}, "検索クエリ:", "検索文書:"),
        ("multilingual-e5-tiny", {}, "query:", "passage:"),
        ("plain", {}, "", ""),
    ],
)
def test_a_named_model_gets_its_prefixes(
    tmp_path: Path, folder: str, prompts: dict[str, str], query_token: str, passage_token: str
) -> None:
    name = tiny_model(tmp_path / folder, prompts)
    encoder = load_encoder(name)
    bare = load_encoder(tiny_model(tmp_path / "bare", {}))
    assert (encoder.name, encoder.dimension) == (name, 16)
    assert np.allclose(encoder.encode_queries(["謝金"]), bare.encode_passages([f"{query_token} 謝金"]), atol=1e-6)
    assert np.allclose(encoder.encode_passages(["謝金"]), bare.encode_passages([f"{passage_token} 謝金"]), atol=1e-6)


def test_the_runtime_reports_to_nobody(tmp_path: Path) -> None:
    code = "from knowledge.encoder.encoding import load_encoder; load_encoder().encode_queries(['謝金'])"
    home = {"HOME": str(tmp_path), "XDG_CACHE_HOME": ""}
    subprocess.run([sys.executable, "-c", code], env=os.environ | home, check=True)
    assert not list(tmp_path.iterdir())  # it would keep an id of this machine, and what it is going to send
