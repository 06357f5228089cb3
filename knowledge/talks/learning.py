"""`python -m knowledge.talks.learning`: learns to read talks, into `learnt.onnx` (`make talks`: about two hours).

Learnt from `examples/*.jsonl`, talks by people who knew the programs and not the product, and beside them from what
clauses say (clauses/examples), which rule a case is put to (`cases/<program>.yaml`), and talks put together
from clauses (composing.py), each of which tells of some slots alone. The lower layers of the encoder stay as they are;
those above begin as the encoder's own. For each slot one vector weighs the tokens, and a linear classifier tells its
value from their mean; so it is for each thing that may be asked, of which each is told for itself. What a figure is, is
told by a linear classifier over the mean of its tokens. Needs PyTorch, and the public weights.
"""

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from time import monotonic
from typing import Any

import numpy as np
import onnx
import torch
from onnx import TensorProto, helper
from torch import Tensor, nn
from torch.nn import functional

from knowledge.encoder.building import Graph, PublicWeights, public_weights, states, token_input
from knowledge.encoder.encoding import LOWER_LAYERS, load_encoder, load_lower
from knowledge.talks.asked import programs_of_asked
from knowledge.talks.reading import LEARNT, Tokens, tokens_of
from knowledge.talks.roles import ROLES
from knowledge.talks.slots import COLUMNS, SLOTS
from knowledge.talks.teaching import Lesson, examples_digest, load_examples

_FASTER = 8  # what is begun from nothing learns so many times faster than the layers
_BATCH_TOKENS = 1500
_BATCH = 48
_DROPPED = 0.1
_SMOOTHING = 0.02


class _Layer(nn.Module):  # type: ignore[misc]  # torch is outside the types of this check
    """Attention and the two matrices behind it, each added to what went in, as in the encoder."""

    def __init__(self, weights: PublicWeights, prefix: str) -> None:
        super().__init__()
        self.heads, hidden, inner = weights.heads, weights.hidden, weights.inner
        self.three = nn.Linear(hidden, 3 * hidden)
        self.out = nn.Linear(hidden, hidden)
        self.first_norm = nn.LayerNorm(hidden, eps=1e-12)
        self.up = nn.Linear(hidden, inner)
        self.down = nn.Linear(inner, hidden)
        self.second_norm = nn.LayerNorm(hidden, eps=1e-12)
        self.dropped = nn.Dropout(_DROPPED)
        for linear, sources, rows in (
            (self.three, ("q", "k", "v"), hidden),
            (self.out, ("ao",), hidden),
            (self.up, ("fi",), inner),
            (self.down, ("fo",), hidden),
        ):
            linear.weight.data = torch.cat([_dense(weights, f"{prefix}{source}.w", rows) for source in sources])
            linear.bias.data = torch.cat([_vector(weights, f"{prefix}{source}.b") for source in sources])
        for norm, source in ((self.first_norm, "aln"), (self.second_norm, "oln")):
            norm.weight.data = _vector(weights, f"{prefix}{source}.w")
            norm.bias.data = _vector(weights, f"{prefix}{source}.b")

    def forward(self, x: Tensor, mask: Tensor) -> Tensor:
        batch, tokens, hidden = x.shape
        q, k, v = self.three(x).view(batch, tokens, 3, self.heads, -1).permute(2, 0, 3, 1, 4)
        attended = functional.scaled_dot_product_attention(
            q, k, v, attn_mask=mask[:, None, None, :], dropout_p=_DROPPED if self.training else 0.0
        )
        x = self.first_norm(x + self.dropped(self.out(attended.transpose(1, 2).reshape(batch, tokens, hidden))))
        return self.second_norm(x + self.dropped(self.down(functional.gelu(self.up(x)))))


class _Reader(nn.Module):  # type: ignore[misc]
    """From the states of tokens to the scores of all values, a row for each slot: (batch, slots, values of all).

    And to the scores of all that may be asked (batch, things), and of what a figure at each token is (batch, tokens,
    roles).
    """

    def __init__(self, weights: PublicWeights) -> None:
        super().__init__()
        hidden, values = weights.hidden, max(columns.stop for columns in COLUMNS.values())
        things = len(programs_of_asked())
        self.last = nn.Parameter(torch.zeros(hidden))
        self.layers = nn.ModuleList(_Layer(weights, f"l{n}.") for n in range(LOWER_LAYERS, weights.layers))
        self.weighing = nn.Parameter(torch.randn(hidden, len(SLOTS)) * 0.02)
        self.telling = nn.Linear(hidden, values)
        self.weighing_asked = nn.Parameter(torch.randn(hidden, things) * 0.02)
        self.telling_asked = nn.Parameter(torch.randn(hidden, things) * 0.02)
        self.bias_asked = nn.Parameter(torch.full((things,), _SELDOM))
        self.telling_roles = nn.Linear(hidden, len(ROLES))
        self.dropped = nn.Dropout(_DROPPED)

    def forward(self, x: Tensor, mask: Tensor, last: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        x = x + last[..., None] * self.last
        for layer in self.layers:
            x = layer(x, mask)
        meant = _weighed(x @ self.weighing, mask).transpose(1, 2) @ x
        asked = _weighed(x @ self.weighing_asked, mask) * (self.dropped(x) @ self.telling_asked)
        roles = self.telling_roles(self.dropped(x))
        return self.telling(self.dropped(meant)), asked.sum(dim=1) + self.bias_asked, roles


def _weighed(weights: Tensor, mask: Tensor) -> Tensor:
    """The share of each token in each row of weights, 0 of what only fills up a batch."""
    shares: Tensor = (weights * _SHARPNESS).masked_fill(~mask[..., None], -1e9).softmax(dim=1)
    return shares


_SHARPNESS = 0.2
"""What the weights of tokens are multiplied by: they begin nearly even."""

_SELDOM = -5.0
"""The score that anything is asked with, to begin with."""


def _dense(weights: PublicWeights, name: str, rows: int) -> Tensor:
    scales, numbers = weights.matrix(name, rows)
    dense = (numbers.astype(np.float32) - 8) * scales[..., None]
    return torch.from_numpy(dense.reshape(rows, -1))


def _vector(weights: PublicWeights, name: str) -> Tensor:
    return torch.from_numpy(weights.vector(name).copy())


@dataclass(frozen=True)
class _Batch:
    """Examples of about one length, with what the lower layers make of their tokens."""

    states: Tensor
    mask: Tensor
    last: Tensor
    rows: Mapping[str, tuple[Tensor, Tensor, Tensor]]  # of each slot: which examples tell, their values, their weights
    asked: Tensor  # of each example and each thing: whether it is asked,
    counted: Tensor  # and how much that counts
    figures: Sequence[tuple[int, slice, int]]  # the example, the tokens and the role of each figure that is told of


def _batches(examples: Sequence[Lesson]) -> Iterator[_Batch]:
    lower = load_lower()
    tokens = [tokens_of(example.turns, lower) for example in examples]
    batch: list[int] = []
    for i in sorted(range(len(examples)), key=lambda i: len(tokens[i].ids)):
        batch.append(i)
        if len(batch) == _BATCH or len(batch) * len(tokens[i].ids) >= _BATCH_TOKENS:
            yield _batch([examples[j] for j in batch], [tokens[j] for j in batch])
            batch = []
    if batch:
        yield _batch([examples[j] for j in batch], [tokens[j] for j in batch])


def _batch(examples: Sequence[Lesson], tokens: Sequence[Tokens]) -> _Batch:
    states, mask = load_lower().run([one.ids for one in tokens])
    last = np.zeros(mask.shape, dtype=np.float32)
    for row, one in enumerate(tokens):
        last[row, : len(one.last)] = one.last
    rows = {}
    for slot, values in SLOTS.items():
        telling = [(row, *example.told[slot]) for row, example in enumerate(examples) if slot in example.told]
        if telling:
            which, said, counted = zip(*telling, strict=True)
            rows[slot] = (torch.tensor(which), torch.tensor([values.index(v) for v in said]), torch.tensor(counted))
    programs = programs_of_asked()
    asked = torch.tensor([[float(thing in example.asked) for thing in programs] for example in examples])
    counted = torch.tensor([[example.tells_of(program) for program in programs.values()] for example in examples])
    figures = [
        (row, tokens[row].at(turn, figure.start, figure.end), ROLES.index(role))
        for row, example in enumerate(examples)
        for turn, figure, role in example.figures
    ]
    figures = [one for one in figures if one[1].stop]
    marks = torch.from_numpy(last)
    return _Batch(torch.from_numpy(states), torch.from_numpy(mask).bool(), marks, rows, asked, counted, figures)


def _loss(scores: Tensor, asked: Tensor, roles: Tensor, batch: _Batch) -> Tensor:
    missed = functional.binary_cross_entropy_with_logits(asked, batch.asked, reduction="none")
    total = (missed * batch.counted).sum()
    for number, slot in enumerate(SLOTS):
        if slot in batch.rows:
            which, said, counted = batch.rows[slot]
            told = functional.cross_entropy(
                scores[which, number, COLUMNS[slot]], said, reduction="none", label_smoothing=_SMOOTHING
            )
            total = total + (told * counted).sum()
    if batch.figures:
        of_each = torch.stack([roles[row, tokens].mean(dim=0) for row, tokens, _ in batch.figures])
        of = torch.tensor([role for _, _, role in batch.figures])
        missed = functional.cross_entropy(of_each, of, reduction="sum", label_smoothing=_SMOOTHING)
        total = total + missed
    return total / len(batch.states)


@dataclass(frozen=True)
class _Stage:
    """Epochs in which the rate of the layers rises over the share `warming` of the steps, and then falls to nothing."""

    epochs: int
    rate: float
    warming: float


_STAGES = (_Stage(6, 7e-4, 0.1), _Stage(2, 3.5e-4, 0.06))


def learn(examples: Sequence[Lesson], weights: PublicWeights) -> _Reader:
    """Learns from examples, telling how far it is."""
    torch.manual_seed(0)
    rng = random.Random(0)
    reader = _Reader(weights)
    marked = [Lesson(example.turns, {}, figures=example.figures) for example in examples if example.figures]
    batches = [*_batches(examples), *_batches(marked)]  # few talks have figures: they are learnt twice
    print(f"{len(examples)} examples, {len(batches)} batches", flush=True)
    for stage in _STAGES:
        _learn(reader, batches, stage, rng)
    reader.eval()
    return reader


def _learn(reader: _Reader, batches: Sequence[_Batch], stage: _Stage, rng: random.Random) -> None:
    layers = list(reader.layers.parameters())
    of_layers = {id(parameter) for parameter in layers}
    new = [parameter for parameter in reader.parameters() if id(parameter) not in of_layers]
    groups: list[dict[str, Any]] = [
        {"params": layers, "lr": stage.rate},
        {"params": new, "lr": stage.rate * _FASTER},
    ]
    steps = stage.epochs * len(batches)
    optimizer = torch.optim.AdamW(groups, weight_decay=0.01)
    schedule = torch.optim.lr_scheduler.LambdaLR(
        optimizer, lambda step: min(step / (stage.warming * steps), 1.0) * (1 - step / steps)
    )
    reader.train()
    for epoch in range(stage.epochs):
        begun, lost = monotonic(), 0.0
        for batch in rng.sample(batches, len(batches)):
            with torch.autocast("cpu", dtype=torch.bfloat16):  # two thirds of the time where the processor has it
                scores, asked, roles = reader(batch.states, batch.mask, batch.last)
            loss = _loss(scores.float(), asked.float(), roles.float(), batch)
            optimizer.zero_grad()
            loss.backward()
            nn.utils.clip_grad_norm_(reader.parameters(), 1.0)
            optimizer.step()
            schedule.step()
            lost += float(loss.detach())
        print(f"{epoch + 1} of {stage.epochs}: {lost / len(batches):.3f} in {monotonic() - begun:.0f} s", flush=True)


def build(reader: _Reader, weights: PublicWeights) -> onnx.ModelProto:
    """The layers as an ONNX graph, their matrices in 8 bits."""
    graph = Graph(weights)
    marks = graph.node("Cast", ["last"], "marks", to=TensorProto.FLOAT)
    column = graph.node("Unsqueeze", [marks, graph.constant("minus", np.array([-1]))], "marked")
    mark = graph.node("Mul", [column, graph.constant("mark", _numbers(reader.last))], "marking")
    x = graph.node("Add", ["states", mark], "x")
    mask = graph.node("Cast", ["attention_mask"], "m32", to=TensorProto.INT32)
    for number, layer in enumerate(reader.layers):
        x = _built(graph, layer, f"l{number}.", x, mask)
    floats = graph.node("Cast", ["attention_mask"], "floats", to=TensorProto.FLOAT)
    kept = graph.node("Log", [graph.node("Unsqueeze", [floats, "minus"], "kept")], "none_of_padding")
    of_slots = _weighing(graph, x, reader.weighing, kept, "slots")
    meant = graph.node("MatMul", [graph.node("Transpose", [of_slots], "by_slot", perm=[0, 2, 1]), x], "meant")
    told = graph.node("MatMul", [meant, graph.constant("telling", _numbers(reader.telling.weight.T))], "told")
    graph.node("Add", [told, graph.constant("bias", _numbers(reader.telling.bias))], "scores")
    scores = helper.make_tensor_value_info(
        "scores", TensorProto.FLOAT, ["batch", len(SLOTS), reader.telling.out_features]
    )
    of_things = _weighing(graph, x, reader.weighing_asked, kept, "things")
    each = graph.node("MatMul", [x, graph.constant("telling_asked", _numbers(reader.telling_asked))], "each")
    token = graph.node("Mul", [of_things, each], "by_token")
    summed = graph.node("ReduceSum", [token, graph.constant("tokens", np.array([1]))], "summed", keepdims=0)
    graph.node("Add", [summed, graph.constant("bias_asked", _numbers(reader.bias_asked))], "asked")
    asked = helper.make_tensor_value_info("asked", TensorProto.FLOAT, ["batch", len(reader.bias_asked)])
    of_tokens = graph.node(
        "MatMul", [x, graph.constant("roles_w", _numbers(reader.telling_roles.weight.T))], "of_tokens"
    )
    graph.node("Add", [of_tokens, graph.constant("bias_roles", _numbers(reader.telling_roles.bias))], "roles")
    roles = helper.make_tensor_value_info("roles", TensorProto.FLOAT, ["batch", "tokens", len(ROLES)])
    inputs = [states("states", weights.hidden), token_input("attention_mask"), token_input("last")]
    return graph.model("talks", inputs, scores, asked, roles)


def _weighing(graph: Graph, x: str, weighing: Tensor, kept: str, of: str) -> str:
    """The share of each token in each row of weights."""
    weighed = graph.node("MatMul", [x, graph.constant(f"weighing_{of}", _numbers(weighing * _SHARPNESS))], f"w_{of}")
    return graph.node("Softmax", [graph.node("Add", [weighed, kept], f"words_{of}")], f"shares_{of}", axis=1)


def _built(graph: Graph, layer: Any, prefix: str, x: str, mask: str) -> str:
    three = graph.dense(x, _numbers(layer.three.weight), _numbers(layer.three.bias), f"{prefix}qkv")
    attended = graph.attention(three, mask, prefix)
    attended = graph.dense(attended, _numbers(layer.out.weight), _numbers(layer.out.bias), f"{prefix}ao")
    x = _norm(graph, graph.node("Add", [attended, x], f"{prefix}r1"), layer.first_norm, f"{prefix}x1")
    inner = graph.dense(x, _numbers(layer.up.weight), _numbers(layer.up.bias), f"{prefix}fi")
    inner = graph.node("Gelu", [inner], f"{prefix}g")
    inner = graph.dense(inner, _numbers(layer.down.weight), _numbers(layer.down.bias), f"{prefix}fo")
    return _norm(graph, graph.node("Add", [inner, x], f"{prefix}r2"), layer.second_norm, f"{prefix}x2")


def _norm(graph: Graph, x: str, norm: nn.LayerNorm, output: str) -> str:
    return graph.layer_norm(x, _numbers(norm.weight), _numbers(norm.bias), output)


def _numbers(tensor: Tensor) -> Any:
    return tensor.detach().numpy().astype(np.float32)


def main() -> None:
    """Learns, and writes `learnt.onnx`."""
    weights = public_weights()
    model = build(learn(load_examples(), weights), weights)
    props = {"examples": examples_digest(), "encoder": load_encoder().name, "asked": " ".join(programs_of_asked())}
    helper.set_model_props(model, props)
    onnx.save(model, str(LEARNT))


if __name__ == "__main__":
    main()
