"""Learns to tell classes by vectors: logistic regression with a penalty on weights, by L-BFGS.

The same examples give the same weights.
"""

from collections.abc import Sequence

import numpy as np
from scipy.optimize import minimize

from knowledge.classes.telling import SCALE, Matrix

_PENALTY = 3e-5
_ROUNDS = 300


def learn_classes(
    said: Sequence[str], vectors: Matrix, counted: Sequence[float] | None = None, penalty: float = _PENALTY
) -> tuple[list[str], Matrix, Matrix]:
    """What tells classes apart by vectors: the classes, weights (dimension, classes) and biases (classes,).

    Args:
        said: the class of each example.
        vectors: a row for each example, without the mean of all.
        counted: how much each example counts; None where all count alike.
        penalty: how much the squares of weights cost.
    """
    values = sorted(set(said))
    counts = np.array(counted if counted is not None else [1.0] * len(said))
    shares = counts / counts.sum()
    wanted = np.eye(len(values))[[values.index(value) for value in said]]
    inputs = np.hstack([vectors * SCALE, np.ones((len(vectors), 1), dtype=np.float32)])

    def loss(flat: Matrix) -> tuple[float, Matrix]:
        parameters = flat.reshape(inputs.shape[1], len(values))
        scores = inputs @ parameters
        scores -= scores.max(axis=1, keepdims=True)
        logs = scores - np.log(np.exp(scores).sum(axis=1, keepdims=True))
        weights = parameters.copy()
        weights[-1] = 0  # biases bear no penalty
        gradient = inputs.T @ ((np.exp(logs) - wanted) * shares[:, None]) + penalty * weights
        return float(-(shares * (logs * wanted).sum(axis=1)).sum() + penalty * (weights**2).sum() / 2), gradient.ravel()

    start = np.zeros(inputs.shape[1] * len(values))
    found = minimize(loss, start, jac=True, method="L-BFGS-B", options={"maxiter": _ROUNDS})
    parameters = found.x.reshape(inputs.shape[1], len(values)).astype(np.float32)
    return values, parameters[:-1], parameters[-1]
