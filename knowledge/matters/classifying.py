"""Tells by its vector which entry of a program's FAQ a question asks for."""

from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import numpy as np

from knowledge.classes.telling import SCALE, Head, Matrix, softmax
from knowledge.encoder.encoding import load_encoder

LEARNT = Path(__file__).parent / "learnt.npz"

NONE = "none"
"""What is learnt of questions that ask for no entry."""

PROGRAMS = "programs"
"""Under this name is learnt which program's FAQ a question asks."""

_ALMOST_NOTHING = 1e-6


class Matters:
    """Linear classifiers over the vectors of the encoder that ships, one for each program with enough wordings."""

    def __init__(self, encoder: str, mean: Matrix, common: Matrix, heads: Mapping[str, Head]) -> None:
        """Takes what was learnt over the vectors of the encoder of this name, and what questions have in common."""
        self.encoder = encoder
        self._mean = mean
        self._common = common
        self._heads = heads

    def knows(self, program: str, entry: str) -> bool:
        """Whether wordings of an entry of a program's FAQ were learnt."""
        return program in self._heads and entry in self._heads[program].values

    def tell(self, program: str, vector: Matrix) -> dict[str, float]:
        """For each entry of a program that was learnt, the probability that this question asks for it (0–1)."""
        shares = self._shares(program, vector) if program in self._heads else {}
        return {entry: share for entry, share in shares.items() if entry != NONE}

    def tell_program(self, vector: Matrix) -> dict[str, float]:
        """For each program that was learnt, how likely this question is asked of it beside the likeliest (0–1)."""
        shares = self._shares(PROGRAMS, vector)
        most = max(shares.values())
        return {program: share / most for program, share in shares.items()}

    def _shares(self, name: str, vector: Matrix) -> dict[str, float]:
        head = self._heads[name]
        shares = softmax((vector[np.newaxis] - self._mean) * SCALE @ head.weights + head.biases)[0]
        return dict(zip(head.values, map(float, shares), strict=True))

    def apart(self, vectors: Matrix) -> Matrix:
        """The vectors of questions without what all questions have in common, of length 1 (0: nothing to read)."""
        own: Matrix = (vectors - self._common) * vectors.any(axis=1, keepdims=True)
        own /= np.maximum(np.linalg.norm(own, axis=1, keepdims=True), _ALMOST_NOTHING)
        return own


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
        return Matters(str(learnt["encoder"]), learnt["mean"], learnt["common"], heads)


def encode_meanings(questions: Sequence[str]) -> Matrix:
    """What questions mean, to be compared with each other: a row of length 1 for each (0: nothing to read)."""
    return load_matters().apart(load_encoder().encode_queries(questions))
