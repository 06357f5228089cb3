"""Cross-encoders: models that read a query and a passage together. Slow and exact, so they see only the best few."""

from collections.abc import Sequence
from typing import Protocol

import numpy as np
import numpy.typing as npt

from knowledge.outside import reach_model


class Reranker(Protocol):
    """Says how well passages answer a query."""

    def rate(self, query: str, passages: Sequence[str]) -> npt.NDArray[np.float32]:
        """A number for each passage, higher where it answers the query better; compared within one query only."""
        ...


def load_reranker(model: str) -> Reranker:
    """Loads a cross-encoder by its name or folder; imports torch."""
    return _CrossEncoderReranker(model)


class _CrossEncoderReranker:
    def __init__(self, model: str) -> None:
        reach_model("RERANKER_MODEL", model)
        from sentence_transformers import CrossEncoder

        self._model = CrossEncoder(model)

    def rate(self, query: str, passages: Sequence[str]) -> npt.NDArray[np.float32]:
        if not passages:
            return np.empty(0, dtype=np.float32)
        rates = self._model.predict([(query, passage) for passage in passages], show_progress_bar=False)
        return np.asarray(rates, dtype=np.float32)
