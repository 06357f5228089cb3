"""Tells classes by the encoder's vectors, with what was learnt of them."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Matrix = npt.NDArray[np.floating]

SCALE = np.float32(10)
"""Vectors of sentences lie close together; the weights are learnt on their distance from the mean, times this."""


@dataclass(frozen=True)
class Head:
    """What was learnt to tell some classes: their names, with weights and biases."""

    values: tuple[str, ...]
    weights: Matrix  # (dimension, values)
    biases: Matrix  # (values,)


def softmax(scores: Matrix) -> Matrix:
    """Probabilities of scores, a row for each."""
    raised: Matrix = np.exp(scores - scores.max(axis=1, keepdims=True))
    shares: Matrix = raised / raised.sum(axis=1, keepdims=True)
    return shares
