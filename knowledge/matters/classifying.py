"""Tells by its vector which entry of a program's FAQ a question asks for."""

from collections.abc import Mapping
from functools import cache
from pathlib import Path

import numpy as np

from knowledge.clauses.classifying import SCALE, Head, Matrix, softmax

LEARNT = Path(__file__).parent / "learnt.npz"

NONE = "none"
"""What is learnt of questions that ask for no entry."""


class Matters:
    """Linear classifiers over the vectors of the encoder that ships, one for each program with enough wordings."""

    def __init__(self, encoder: str, mean: Matrix, heads: Mapping[str, Head]) -> None:
        """Takes what was learnt over the vectors of the encoder of this name."""
        self.encoder = encoder
        self._mean = mean
        self._heads = heads

    @property
    def programs(self) -> frozenset[str]:
        """The programs whose wordings were learnt."""
        return frozenset(self._heads)

    def tell(self, program: str, vector: Matrix) -> dict[str, float]:
        """For each entry of a program that was learnt, the probability that this question asks for it (0–1)."""
        head = self._heads[program]
        shares = softmax((vector[np.newaxis] - self._mean) * SCALE @ head.weights + head.biases)[0]
        return {entry: float(share) for entry, share in zip(head.values, shares, strict=True) if entry != NONE}


@cache
def load_matters() -> Matters:
    """What was learnt of the wordings (`make matters` learns it again)."""
    with np.load(LEARNT) as learnt:
        heads = {
            program: Head(
                tuple(map(str, learnt[f"{program}.values"])),
                learnt[f"{program}.weights"].astype(np.float32),
                learnt[f"{program}.biases"].astype(np.float32),
            )
            for program in map(str, learnt["names"])
        }
        return Matters(str(learnt["encoder"]), learnt["mean"], heads)
