"""How long the parts of an answer take, measured where they run and handed on with it."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass


@dataclass(frozen=True)
class Span:
    """A part of an answer: its name, when it began and how long it took, in seconds from the answer's beginning."""

    name: str
    began: float
    seconds: float


_measured: ContextVar[tuple[float, list[Span]] | None] = ContextVar("measured", default=None)


def begin() -> list[Span]:
    """Has the parts measured that this task, and threads that it hands work to, come to; returns where they are put."""
    spans: list[Span] = []
    _measured.set((time.perf_counter(), spans))
    return spans


@contextmanager
def span(name: str) -> Iterator[None]:
    """Measures a part, where somebody wants to know."""
    measured, began = _measured.get(), time.perf_counter()
    try:
        yield
    finally:
        if measured:
            start, spans = measured
            spans.append(Span(name, began - start, time.perf_counter() - began))
