"""Counts of what was answered and how fast, in the text format that Prometheus reads."""

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import get_args

from bot.reconciling import Fate
from bot.types import AnswerStatus
from knowledge.store import Kind

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds of the histogram in seconds: the answering path takes milliseconds, a chat model seconds."""


class Metrics:
    """What this process has answered since it started. Used from one event loop."""

    def __init__(self) -> None:
        """Starts at zero."""
        self._answers = dict.fromkeys(AnswerStatus, 0)
        self._buckets: Counter[float] = Counter()
        self._seconds = 0.0
        self._model_answers: Counter[tuple[str, str]] = Counter()
        self._model_sentences: Counter[tuple[str, str]] = Counter()
        self._model_tokens: dict[str, int] = {}

    def count(self, status: AnswerStatus, seconds: float) -> None:
        """Counts an answer, and the time from the message's arrival to its record."""
        self._answers[status] += 1
        self._seconds += seconds
        self._buckets[next((bound for bound in _BUCKETS if seconds <= bound), float("inf"))] += 1

    def count_model(self, model: str, outcome: str, fates: Mapping[Fate, int], tokens_today: int) -> None:
        """Counts what a chat model did for an answer: how it ended, and its sentences by what became of them."""
        self._model_answers[model, outcome] += 1
        for fate in get_args(Fate):
            self._model_sentences[model, fate] += fates.get(fate, 0)
        self._model_tokens[model] = tokens_today

    def as_text(self, generation: str, sizes: Mapping[Kind, int]) -> str:
        """The exposition.

        Args:
            generation: the index that serves; "" while there is none.
            sizes: the number of its entries by kind.
        """
        return "\n".join([*self._lines(generation, sizes), ""])

    def _lines(self, generation: str, sizes: Mapping[Kind, int]) -> Iterator[str]:
        yield "# HELP madoguchi_answers_total Messages answered, by the status of the answer."
        yield "# TYPE madoguchi_answers_total counter"
        for status, number in self._answers.items():
            yield f'madoguchi_answers_total{{status="{status}"}} {number}'
        yield "# HELP madoguchi_answer_seconds Time from a message to its recorded answer."
        yield "# TYPE madoguchi_answer_seconds histogram"
        total = 0
        for bound in (*_BUCKETS, float("inf")):
            total += self._buckets[bound]
            name = "+Inf" if bound == float("inf") else f"{bound:g}"
            yield f'madoguchi_answer_seconds_bucket{{le="{name}"}} {total}'
        yield f"madoguchi_answer_seconds_sum {self._seconds:.6f}"
        yield f"madoguchi_answer_seconds_count {total}"
        yield "# HELP madoguchi_index_info The generation of the index that serves."
        yield "# TYPE madoguchi_index_info gauge"
        if generation:
            yield f'madoguchi_index_info{{generation="{generation}"}} 1'
        yield "# HELP madoguchi_index_entries Passages, and typed questions of the FAQ, in the index that serves."
        yield "# TYPE madoguchi_index_entries gauge"
        for kind, number in sizes.items():
            yield f'madoguchi_index_entries{{kind="{kind}"}} {number}'
        yield from self._model_lines()

    def _model_lines(self) -> Iterator[str]:
        if not self._model_answers:
            return
        yield "# HELP madoguchi_model_answers_total Answers put to the chat model, by how that ended."
        yield "# TYPE madoguchi_model_answers_total counter"
        for (model, outcome), number in self._model_answers.items():
            yield f'madoguchi_model_answers_total{{model="{model}",outcome="{outcome}"}} {number}'
        yield "# HELP madoguchi_model_sentences_total Sentences of the chat model, by what became of them in the check."
        yield "# TYPE madoguchi_model_sentences_total counter"
        for (model, fate), number in self._model_sentences.items():
            yield f'madoguchi_model_sentences_total{{model="{model}",fate="{fate}"}} {number}'
        yield "# HELP madoguchi_model_tokens_today Tokens that the chat model used today, estimated from above."
        yield "# TYPE madoguchi_model_tokens_today gauge"
        for model, tokens in self._model_tokens.items():
            yield f'madoguchi_model_tokens_today{{model="{model}"}} {tokens}'
