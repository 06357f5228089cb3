"""Embedding models: the repository's own (no torch), or any sentence-transformers model by name."""

import hashlib
from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Protocol

import numpy as np
import numpy.typing as npt

from knowledge.outside import reach_model
from knowledge.words import segmented

if TYPE_CHECKING:
    from tokenizers import Tokenizer

Vectors = npt.NDArray[np.float32]

_OWN_NAME = "madoguchi-static-"
OWN_MODEL = Path(__file__).parent / "model"
_UNKNOWN = 0  # the own model's token for what it does not know, which says nothing
_TINY = 1e-32  # the length by which a row of nothing is divided

# Prefixes of models that need them and do not carry them as prompts of their own: query, passage.
_PREFIXES = {
    "ruri-v3": ("検索クエリ: ", "検索文書: "),
    "multilingual-e5": ("query: ", "passage: "),
    "e5-": ("query: ", "passage: "),
}


class Embedding(Protocol):
    """Turns texts into rows of length 1, or of length 0 where nothing of the text is known."""

    @property
    def name(self) -> str:
        """Names the vectors: an index made under another name cannot be searched with this embedding."""
        ...

    @property
    def dimension(self) -> int:
        """Length of a row."""
        ...

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """One row for each text that is to be found."""
        ...

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """One row for each text that is searched for."""
        ...


def load_embedding(model: str = "") -> Embedding:
    """Loads an embedding model.

    Args:
        model: "" for the repository's own, or the name or folder of a sentence-transformers model. Only the latter
            imports torch (some fifteen seconds and half a gigabyte).
    """
    return SentenceEmbedding(model) if model else OwnEmbedding(OWN_MODEL)


def load_embedding_named(name: str) -> Embedding | None:
    """The embedding whose vectors have this name; None where it was an own model that the repository has no longer."""
    embedding = load_embedding("" if name.startswith(_OWN_NAME) else name)
    return embedding if embedding.name == name else None


class OwnEmbedding:
    """The repository's static model: a vector for each token of the segmented text, averaged."""

    def __init__(self, folder: Path) -> None:
        """Takes a sentence-transformers StaticEmbedding folder, which is loaded with NumPy alone at the first use."""
        self._folder = folder
        weights = (folder / "model.safetensors").read_bytes()
        self.name = f"{_OWN_NAME}{hashlib.sha256(weights).hexdigest()[:12]}"

    @cached_property
    def _tokenizer(self) -> "Tokenizer":
        from tokenizers import Tokenizer

        return Tokenizer.from_file(str(self._folder / "tokenizer.json"))

    @cached_property
    def _token_vectors(self) -> npt.NDArray[np.float16]:
        from safetensors.numpy import load_file

        return load_file(self._folder / "model.safetensors")["embedding.weight"]

    @property
    def dimension(self) -> int:
        """Length of a row."""
        return int(self._token_vectors.shape[1])

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """One row for each text that is to be found."""
        rows = np.zeros((len(texts), self.dimension), dtype=np.float32)
        encoded = self._tokenizer.encode_batch_fast([segmented(text) for text in texts], add_special_tokens=False)
        for row, tokens in zip(rows, encoded, strict=True):
            if known := [id for id in tokens.ids if id != _UNKNOWN]:
                row[:] = self._token_vectors[known].mean(axis=0)
        unit: Vectors = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), _TINY)
        return unit

    embed_queries = embed_passages


class SentenceEmbedding:
    """A sentence-transformers model, with the prefixes for queries and passages that it wants."""

    def __init__(self, model: str) -> None:
        """Loads the model by its name or folder; imports torch."""
        reach_model("EMBEDDING_MODEL", model)
        from sentence_transformers import SentenceTransformer

        self.name = model
        self._model = SentenceTransformer(model)
        dimension = self._model.get_embedding_dimension()
        if dimension is None:
            raise ValueError(f"{model} does not tell the length of its vectors")
        self.dimension = dimension
        self._query_prefix, self._passage_prefix = _prefixes(model, self._model.prompts)

    def embed_passages(self, texts: Sequence[str]) -> Vectors:
        """One row for each text that is to be found."""
        return self._embed(self._passage_prefix, texts)

    def embed_queries(self, texts: Sequence[str]) -> Vectors:
        """One row for each text that is searched for."""
        return self._embed(self._query_prefix, texts)

    def _embed(self, prefix: str, texts: Sequence[str]) -> Vectors:
        rows = self._model.encode(
            list(texts), prompt=prefix, normalize_embeddings=True, convert_to_numpy=True, show_progress_bar=False
        )
        return np.asarray(rows, dtype=np.float32)


def _prefixes(model: str, prompts: Mapping[str, str | None]) -> tuple[str, str]:
    """The model's own prompts where it has any; else those known for its family; else none."""
    own = (prompts.get("query") or "", prompts.get("document") or prompts.get("passage") or "")
    if any(own):
        return own
    return next((prefixes for family, prefixes in _PREFIXES.items() if family in model), ("", ""))
