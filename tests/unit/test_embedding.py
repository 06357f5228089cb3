"""The embedding models: the repository's own beside sentence-transformers, and models named by a setting."""

import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from tokenizers import Tokenizer, models, pre_tokenizers

from knowledge.embedding import OWN_MODEL, Embedding, load_embedding
from knowledge.words import segmented

TEXTS = [
    "アドバイザーの謝金は誰が払いますか",
    "財政力指数が1以上の自治体は対象外です。",
    "〆切っていつ?",
    "Ｗｉ－Ｆｉと５Ｇ",
    "龘の鸞𠮷野家 🙂 稀な字",
]


@pytest.fixture(scope="module")
def own() -> Embedding:
    return load_embedding()


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


def test_own_vectors_are_those_of_sentence_transformers(own: Embedding) -> None:
    from sentence_transformers import SentenceTransformer

    theirs = SentenceTransformer(str(OWN_MODEL), device="cpu").encode([segmented(text) for text in TEXTS])
    assert np.abs(own.embed_passages(TEXTS) - theirs).max() < 1e-3


def test_own_vectors_have_length_1_or_0(own: Embedding) -> None:
    lengths = np.linalg.norm(own.embed_queries([*TEXTS, "", "、。!?"]), axis=1)
    assert np.allclose(lengths, [1] * len(TEXTS) + [0, 0], atol=1e-3)


def test_own_vectors_do_not_depend_on_the_batch(own: Embedding) -> None:
    alone = np.concatenate([own.embed_passages([text]) for text in TEXTS])
    assert np.allclose(own.embed_passages(TEXTS), alone, atol=1e-6)


def test_a_long_text_is_read_to_its_end(own: Embedding) -> None:
    start = "人口の少ない町。" * 4000
    assert not np.allclose(own.embed_passages([start]), own.embed_passages([start + "謝金の交付。" * 4000]), atol=0.05)


def test_the_default_imports_no_torch() -> None:
    code = (
        "import sys; from knowledge.embedding import load_embedding; import knowledge.search; "
        "load_embedding().embed_queries(['謝金']); "
        "print([m for m in ('torch', 'sentence_transformers', 'transformers') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_own_model_is_small_and_readable_by_all() -> None:
    files = [path for path in OWN_MODEL.rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) <= 10 * 2**20
    assert all(path.stat().st_mode & 0o044 == 0o044 for path in files)
    assert (OWN_MODEL / "README.md").is_file()


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
    embedding = load_embedding(name)
    bare = load_embedding(tiny_model(tmp_path / "bare", {}))
    assert (embedding.name, embedding.dimension) == (name, 16)
    assert np.allclose(embedding.embed_queries(["謝金"]), bare.embed_passages([f"{query_token} 謝金"]), atol=1e-6)
    assert np.allclose(embedding.embed_passages(["謝金"]), bare.embed_passages([f"{passage_token} 謝金"]), atol=1e-6)
