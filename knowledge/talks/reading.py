"""Reads a whole talk at once, by layers that were learnt from talks, above the lower ones of the encoder."""

from bisect import bisect
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import accumulate
from pathlib import Path

import numpy as np

from knowledge.classes.telling import Matrix, softmax
from knowledge.encoder.encoding import LowerLayers, load_lower, open_layers
from knowledge.figures import normalize
from knowledge.talks.roles import ROLES, RoleRead, figures_of
from knowledge.talks.slots import COLUMNS, SLOTS, UNSAID

LEARNT = Path(__file__).parent / "learnt.onnx"

_PREFIX = "query: "
_JOINT = " → "
_LONGEST = 200  # tokens; of a longer talk the last ones


@dataclass(frozen=True)
class TalkRead:
    """What a talk comes to: for each slot (knowledge/talks/slots.py) the probability of each of its values (0–1).

    `asked` is how likely the last message asks each thing (knowledge/talks/asked.py), among others or alone (0–1).
    `figures` are those of all messages in order, with what they are (knowledge/talks/roles.py).
    """

    shares: Mapping[str, Mapping[str, float]]
    asked: Mapping[str, float]
    figures: tuple[RoleRead, ...]

    def likeliest(self, slot: str) -> tuple[str, float]:
        """The likeliest value of a slot, with its probability."""
        return max(self.shares[slot].items(), key=lambda share: share[1])

    def surely(self, slot: str, at_least: float) -> str:
        """The value of a slot that has at least this probability, UNSAID where none has."""
        value, share = self.likeliest(slot)
        return value if share >= at_least else UNSAID


@dataclass(frozen=True)
class Tokens:
    """A talk in tokens, of which each is in the last message (1) or not (0).

    `turns` are its messages, normalised, `spans` the message of each token with the characters in it (first, end).
    """

    ids: list[int]
    last: list[int]
    turns: tuple[str, ...]
    spans: list[tuple[int, int, int]]

    def at(self, turn: int, start: int, end: int) -> slice:
        """The tokens that stand at characters of a message; none where they were cut off."""
        of = [i for i, (its, first, last) in enumerate(self.spans) if its == turn and first < end and start < last]
        return slice(of[0], of[-1] + 1) if of else slice(0)


def tokens_of(turns: Sequence[str], lower: LowerLayers) -> Tokens:
    """The tokens of messages, the last of them marked; of a long talk the end."""
    texts = tuple(map(normalize, turns))
    starts = list(accumulate((len(text) + len(_JOINT) for text in texts), initial=len(_PREFIX)))
    encoding = lower.tokenizer.encode(_PREFIX + _JOINT.join(texts))
    spans = []
    for first, end in encoding.offsets:
        turn = bisect(starts, max(first, end - 1)) - 1 if end > first else -1
        spans.append((turn, first - starts[turn], end - starts[turn]))
    marks = [int(turn == len(texts) - 1) for turn, _, _ in spans]
    if len(encoding.ids) > _LONGEST:
        kept = slice(1 - _LONGEST, None)
        ids = [encoding.ids[0], *encoding.ids[kept]]
        return Tokens(ids, [marks[0], *marks[kept]], texts, [spans[0], *spans[kept]])
    return Tokens(encoding.ids, marks, texts, spans)


class TalkReader:
    """Reads talks; the same messages are read alike."""

    def __init__(self, lower: LowerLayers, learnt: Path = LEARNT) -> None:
        """Takes the lower layers of the encoder, and the file of the layers that were learnt above them."""
        self._lower = lower
        self._learnt = open_layers(learnt)
        self._asked = tuple(self.learnt_of["asked"].split())

    @property
    def learnt_of(self) -> Mapping[str, str]:
        """What tells the `examples` that were learnt from, the `encoder` below, and what may be `asked`."""
        told: Mapping[str, str] = self._learnt.get_modelmeta().custom_metadata_map
        return told

    def read(self, turns: Sequence[str]) -> TalkRead:
        """What one person's messages come to, the last of which is to be answered."""
        tokens = tokens_of(turns, self._lower)
        states, mask = self._lower.run([tokens.ids])
        inputs = {"states": states, "attention_mask": mask, "last": np.array([tokens.last], dtype=np.int64)}
        scores, asked, roles = self._learnt.run(None, inputs)
        shares = {}
        for row, (slot, values) in enumerate(SLOTS.items()):
            told = softmax(scores[0, row : row + 1, COLUMNS[slot]])[0]
            shares[slot] = dict(zip(values, map(float, told), strict=True))
        figures = tuple(_roles_of(tokens, roles[0]))
        return TalkRead(shares, dict(zip(self._asked, map(float, _sigmoid(asked[0])), strict=True)), figures)


def _roles_of(tokens: Tokens, scores: Matrix) -> Iterator[RoleRead]:
    """What each figure of a talk is, by the scores of its tokens (tokens, roles)."""
    for turn, text in enumerate(tokens.turns):
        for figure in figures_of(text):
            of = scores[tokens.at(turn, figure.start, figure.end)]
            if len(of):
                told = softmax(of.mean(axis=0, keepdims=True))[0]
                yield RoleRead(len(tokens.turns) - 1 - turn, figure, dict(zip(ROLES, map(float, told), strict=True)))


def _sigmoid(scores: Matrix) -> Matrix:
    shares: Matrix = 1 / (1 + np.exp(-scores))
    return shares


@cache
def load_talk_reader() -> TalkReader:
    """The reader of the layers that ship (`make talks` learns them again)."""
    return TalkReader(load_lower())
