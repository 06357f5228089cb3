"""Tells by its vector what a clause says of each fact."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from knowledge.types import Fact

Matrix = npt.NDArray[np.floating]

LEARNT = Path(__file__).parent / "learnt.npz"

SAYS_NOTHING = "aside"
"""The value of clauses that say nothing of the asker's case, whatever words they use."""

ASKED = "asked"
"""What is learnt of what clauses ask: a subject, or that they ask nothing of the kind."""

TOLD_OF = "told_of"
"""What is learnt of whom a clause tells: the asker's case, another's, or bodies at large (a rule as heard)."""

FIGURE = "◎"
"""Stands in a clause for the figure, or the program's name, whose role is told."""

SCALE = np.float32(10)
"""Vectors of sentences lie close together; the weights are learnt on their distance from the mean, times this."""


def role_name(kind: str) -> str:
    """What the roles of figures of a kind (index, count, amount), or of programs, are learnt under."""
    return f"{kind}_role"


@dataclass(frozen=True)
class Told:
    """What a clause says of a fact. `confidence` is a probability among all values and none (0–1)."""

    value: str
    confidence: float


@dataclass(frozen=True)
class Head:
    """What was learnt for one fact or role: its values, with weights and biases."""

    values: tuple[str, ...]
    weights: Matrix  # (dimension, values)
    biases: Matrix  # (values,)


class ClauseClassifier:
    """Linear classifiers over the vectors of the encoder that ships, one for each fact and role."""

    def __init__(self, encoder: str, mean: Matrix, heads: Mapping[str, Head]) -> None:
        """Takes what was learnt over the vectors of the encoder of this name."""
        self.encoder = encoder
        self._mean = mean
        self._heads = heads

    @property
    def _facts(self) -> Iterator[Fact]:
        return (Fact(name) for name in self._heads if name in set(Fact))

    def classify(self, vectors: Matrix) -> list[dict[Fact, Told]]:
        """For each row of vectors (clauses, dimension), the likeliest value of each fact that it says something of."""
        told: list[dict[Fact, Told]] = [{} for _ in vectors]
        for fact in self._facts:
            for row, one in enumerate(self._tell(fact, vectors)):
                if one.value != SAYS_NOTHING:
                    told[row][fact] = one
        return told

    def classify_asked(self, vectors: Matrix) -> list[Told]:
        """For each row, what the clause asks."""
        return self._tell(ASKED, vectors)

    def classify_told_of(self, vectors: Matrix) -> list[Told]:
        """For each row, of whom the clause tells."""
        return self._tell(TOLD_OF, vectors)

    def classify_role(self, kind: str, vectors: Matrix) -> list[Told]:
        """For each row, of a clause in which `FIGURE` stands for a figure of this kind: what it is the figure of."""
        return self._tell(role_name(kind), vectors)

    def _tell(self, name: str, vectors: Matrix) -> list[Told]:
        head = self._heads[name]
        shares = softmax((vectors - self._mean) * SCALE @ head.weights + head.biases)
        return [Told(head.values[int(row.argmax())], float(row.max())) for row in shares]


@cache
def load_classifier() -> ClauseClassifier:
    """What was learnt of the examples (`make clauses` learns it again)."""
    with np.load(LEARNT) as learnt:
        heads = {
            name: Head(tuple(map(str, learnt[f"{name}.values"])), learnt[f"{name}.weights"], learnt[f"{name}.biases"])
            for name in map(str, learnt["names"])
        }
        return ClauseClassifier(str(learnt["encoder"]), learnt["mean"], heads)


def softmax(scores: Matrix) -> Matrix:
    """Probabilities of scores, a row for each."""
    raised: Matrix = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: Matrix = raised / raised.sum(axis=1, keepdims=True)
    return shares
