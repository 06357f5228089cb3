"""Texts as vectors: by the model that ships (onnxruntime, no torch), or by any sentence-transformers model."""

import hashlib
import os
import threading
import unicodedata
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt
from onnxruntime import InferenceSession, SessionOptions
from tokenizers import Encoding, Tokenizer

from knowledge.outside import reach_model

Vectors = npt.NDArray[np.float32]
Tokens = npt.NDArray[np.int64]

SHIPPED_MODEL = Path(__file__).parent / "model"

LOWER_LAYERS = 4
"""So many of the layers are run apart from those above them, which something else may stand in the place of."""

_SHIPPED_NAMES = "madoguchi-"  # and a digest of the files; so were named the vectors of earlier models that shipped
_DIMENSION = 384
_TOKENS = 512  # what the model reads of a text
_BATCH_TOKENS = 2048  # of one run, padding included: more is no faster and needs more memory
_PADDED = 4  # tokens of padding that a run may have: each costs as much as a word's, and so many as another run
_THREADS = min(2, os.cpu_count() or 1)
_PADDING = 1
_QUERIES_KEPT = 256

# Prefixes for queries and passages, of models that need them and do not carry them as prompts of their own.
_E5_PREFIXES = ("query: ", "passage: ")
_PREFIXES = {"ruri-v3": ("検索クエリ: ", "検索文書: "), "multilingual-e5": _E5_PREFIXES, "e5-": _E5_PREFIXES}


class Encoder:
    """Turns texts into vectors. Safe to use from several threads.

    `name` names the vectors: those of another name cannot be compared with them. `dimension` is their length.
    """

    def __init__(
        self, name: str, dimension: int, prefixes: tuple[str, str], run: Callable[[Sequence[str]], Vectors]
    ) -> None:
        """Takes a model as the function that gives a row for each text, and what it wants before them.

        Args:
            name: names the vectors.
            dimension: length of a row.
            prefixes: what the model wants before a query, and before a passage.
            run: gives an array (texts, dimension) with rows of length 1.
        """
        self.name = name
        self.dimension = dimension
        self._query_prefix, self._passage_prefix = prefixes
        self._run = run
        self._lock = threading.Lock()
        self._queries: OrderedDict[str, Vectors] = OrderedDict()

    def encode_queries(self, texts: Sequence[str]) -> Vectors:
        """A row for each text that is searched for: (texts, dimension). The last few are not computed again."""
        with self._lock:
            known = {text: self._queries[text] for text in texts if text in self._queries}
        new = list(dict.fromkeys(text for text in texts if text not in known))
        known |= zip(new, self._encode(self._query_prefix, new), strict=True)
        with self._lock:
            for text in texts:
                self._queries[text] = known[text]
                self._queries.move_to_end(text)
            while len(self._queries) > _QUERIES_KEPT:
                self._queries.popitem(last=False)
        return np.stack([known[text] for text in texts]) if texts else self._encode("", [])

    def encode_passages(self, texts: Sequence[str]) -> Vectors:
        """A row for each text that is to be found: (texts, dimension)."""
        return self._encode(self._passage_prefix, texts)

    def _encode(self, prefix: str, texts: Sequence[str]) -> Vectors:
        """Rows of length 1; of zeros for a text without a letter or digit, which a model would liken to anything."""
        plain = [unicodedata.normalize("NFKC", text).strip() for text in texts]
        readable = [i for i, text in enumerate(plain) if any(character.isalnum() for character in text)]
        rows = np.zeros((len(texts), self.dimension), dtype=np.float32)
        if readable:
            rows[readable] = self._run([prefix + plain[i] for i in readable])
        return rows


def load_encoder(model: str = "") -> Encoder:
    """The encoder of a model, loaded at the first call.

    Args:
        model: "" for the one that ships, or the name or folder of a sentence-transformers model. Only the latter
            imports torch (some fifteen seconds and half a gigabyte).
    """
    return _loaded(model)


@cache
def _loaded(model: str) -> Encoder:
    """One for all that use it: to load one takes longer than an answer, and it knows what it has just encoded."""
    if not model:
        return Encoder(_shipped_name(), _DIMENSION, _E5_PREFIXES, _ShippedModel())
    reach_model("EMBEDDING_MODEL", model)
    from sentence_transformers import SentenceTransformer

    loaded = SentenceTransformer(model)
    dimension = loaded.get_embedding_dimension()
    if dimension is None:
        raise ValueError(f"{model} does not tell the length of its vectors")

    def run(texts: Sequence[str]) -> Vectors:
        rows = loaded.encode(list(texts), prompt="", normalize_embeddings=True, show_progress_bar=False)
        return np.asarray(rows, dtype=np.float32)

    return Encoder(model, dimension, _prefixes(model, loaded.prompts), run)


def load_encoder_named(name: str) -> Encoder | None:
    """The encoder whose vectors have this name; None where it shipped once and does so no longer."""
    if name.startswith(_SHIPPED_NAMES):
        return load_encoder() if name == _shipped_name() else None
    return load_encoder(name)


def _shipped_name() -> str:
    digest = hashlib.sha256()
    for file in ("lower.onnx", "upper.onnx", "tokenizer.json"):
        digest.update((SHIPPED_MODEL / file).read_bytes())
    return f"{_SHIPPED_NAMES}e5-small-ja-{digest.hexdigest()[:12]}"


def _prefixes(model: str, prompts: Mapping[str, str | None]) -> tuple[str, str]:
    """The model's own prompts where it has any; else those known for its family; else none."""
    own = (prompts.get("query") or "", prompts.get("document") or prompts.get("passage") or "")
    if any(own):
        return own
    return next((prefixes for family, prefixes in _PREFIXES.items() if family in model), ("", ""))


class LowerLayers:
    """The tokenizer of the model that ships, and what its lower layers make of tokens."""

    def __init__(self, folder: Path) -> None:
        """Loads the files of a folder."""
        self._session = open_layers(folder / "lower.onnx")
        self.tokenizer = Tokenizer.from_file(str(folder / "tokenizer.json"))
        self.tokenizer.enable_truncation(_TOKENS)
        self.tokenizer.encode_special_tokens = True  # a typed <s> is text

    def run(self, ids: Sequence[Sequence[int]]) -> tuple[Vectors, Tokens]:
        """The state of each token (batch, tokens, dimension), and which of them are no padding (batch, tokens)."""
        tokens = np.full((len(ids), max(map(len, ids))), _PADDING, dtype=np.int64)
        mask = np.zeros_like(tokens)
        for row, of_text in enumerate(ids):
            tokens[row, : len(of_text)] = of_text
            mask[row, : len(of_text)] = 1
        return self._session.run(None, {"input_ids": tokens, "attention_mask": mask})[0], mask


@cache
def load_lower() -> LowerLayers:
    """The lower layers of the model that ships, loaded once for all that stands above them."""
    return LowerLayers(SHIPPED_MODEL)


def open_layers(file: Path) -> InferenceSession:
    """Layers of an ONNX file, to be run on few threads, none of which spins."""
    options = SessionOptions()
    options.intra_op_num_threads = _THREADS
    options.inter_op_num_threads = 1
    options.add_session_config_entry("session.intra_op.allow_spinning", "0")  # it slows a busy machine down
    return InferenceSession(file, options, providers=["CPUExecutionProvider"])


class _ShippedModel:
    """The model that ships, from texts to vectors of length 1."""

    def __init__(self) -> None:
        self._lower = load_lower()
        self._upper = open_layers(SHIPPED_MODEL / "upper.onnx")

    def __call__(self, texts: Sequence[str]) -> Vectors:
        rows = np.empty((len(texts), _DIMENSION), dtype=np.float32)
        encodings = self._lower.tokenizer.encode_batch(list(texts))
        for batch in _batches(encodings):
            states, mask = self._lower.run([encodings[i].ids for i in batch])
            rows[batch] = self._upper.run(None, {"states": states, "attention_mask": mask})[0]
        return rows


def _batches(encodings: Sequence[Encoding]) -> Iterator[list[int]]:
    """The positions of the texts in batches of about one length, each the longest last."""
    batch: list[int] = []
    tokens = 0
    for i in sorted(range(len(encodings)), key=lambda i: len(encodings[i].ids)):
        length = len(encodings[i].ids)
        if batch and (len(batch) * length - tokens > _PADDED or (len(batch) + 1) * length > _BATCH_TOKENS):
            yield batch
            batch, tokens = [], 0
        batch.append(i)
        tokens += length
    if batch:
        yield batch
