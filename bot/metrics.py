"""What operators watch: counts of what this process answered, refused and delivered, for Prometheus."""

import math
from collections.abc import Mapping, Sequence

import prometheus_client
from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, ProcessCollector, generate_latest

from bot.delivery import Outcome, Queue
from bot.timing import Span
from bot.types import BY_MODEL, CONFIRMED, AnswerStatus, IndexState, ModelUse, Understood

_BUCKETS = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
"""Upper bounds of the histogram in seconds: the answering path takes milliseconds, a chat model seconds."""

_READERS = (BY_MODEL, CONFIRMED)

prometheus_client.disable_created_metrics()  # type: ignore[no-untyped-call]  # a second series for each, of when it began


class Metrics:
    """What this process has done since it started."""

    def __init__(self) -> None:
        """Starts at zero."""
        self._registry = registry = CollectorRegistry()
        ProcessCollector(registry=registry)
        self._answers = Counter(
            "madoguchi_answers_total",
            "Messages answered, by the status of the answer.",
            ["status", "channel"],
            registry=registry,
        )
        self._seconds = Histogram(
            "madoguchi_answer_seconds", "Time from a message to its answer.", buckets=_BUCKETS, registry=registry
        )
        self._parts = Histogram(
            "madoguchi_answer_part_seconds",
            "Time that a part of answering took.",
            ["part"],
            buckets=_BUCKETS,
            registry=registry,
        )
        self._readings = Counter(
            "madoguchi_readings_total",
            "Facts that answers rest on, by what read them; `earlier` where that was in an earlier message.",
            ["by"],
            registry=registry,
        )
        self._cases = Gauge(
            "madoguchi_cases",
            "Questions for officials by state; overdue are those that wait and have been reminded of.",
            ["state"],
            registry=registry,
        )
        self._quota = Gauge(
            "madoguchi_push_quota_left",
            "Messages that may still be pushed in LINE this month; NaN where that is not known.",
            registry=registry,
        )
        self._quota.set(math.nan)
        self._refused = Counter(
            "madoguchi_rate_limited_total",
            "Messages not answered because too many came (429 on HTTP).",
            ["channel"],
            registry=registry,
        )
        self._deliveries = Counter(
            "madoguchi_deliveries_total",
            "Attempts to deliver an event of LINE or Slack, by how they ended.",
            ["channel", "outcome"],
            registry=registry,
        )
        self._queue = Gauge(
            "madoguchi_queue_events",
            "Stored events that wait or are parked.",
            ["state"],
            registry=registry,
        )
        self._queue_age = Gauge(
            "madoguchi_queue_age_seconds", "Age of the oldest event that waits; 0 where none does.", registry=registry
        )
        self._index = Gauge(
            "madoguchi_index_info", "The generation of the index that serves.", ["generation"], registry=registry
        )
        self._entries = Gauge(
            "madoguchi_index_entries",
            "Passages, and typed questions of the FAQ, in the index that serves.",
            ["kind"],
            registry=registry,
        )
        self._watched = Gauge(
            "madoguchi_watched_changes",
            "Figures that watched pages changed, of those that are kept.",
            registry=registry,
        )
        self._unwatched = Gauge(
            "madoguchi_watched_problems", "Watched pages that could not be fetched at the last look.", registry=registry
        )
        self._model_requests = Counter(
            "madoguchi_model_requests_total",
            "Messages by what the chat model was asked for, and how that ended.",
            ["model", "request", "outcome"],
            registry=registry,
        )
        self._model_facts = Counter(
            "madoguchi_model_facts_total",
            "Facts that the chat model read, by what became of them.",
            ["model", "fate"],
            registry=registry,
        )
        self._model_chosen = Counter(
            "madoguchi_model_chosen_total",
            "Groups of the sources' sentences that the chat model pointed to and that were shown.",
            ["model"],
            registry=registry,
        )
        self._model_seconds = Histogram(
            "madoguchi_model_seconds",
            "Time that the chat model took for a message, where it was asked.",
            ["model"],
            buckets=_BUCKETS,
            registry=registry,
        )
        self._model_tokens = Gauge(
            "madoguchi_model_tokens_today",
            "Tokens that the chat model used today, estimated from above.",
            ["model"],
            registry=registry,
        )

    def count(self, status: AnswerStatus, seconds: float, channel: str) -> None:
        """Counts an answer, and the time from the message's arrival to its record."""
        self._answers.labels(status, channel).inc()
        self._seconds.observe(seconds)

    def count_parts(self, spans: Sequence[Span]) -> None:
        """Counts how long the parts of an answer took."""
        for part in spans:
            self._parts.labels(part.name).observe(part.seconds)

    def count_readings(self, understood: Sequence[Understood]) -> None:
        """Counts what read the facts that an answer rests on: the words of the vocabulary, or one of the readers."""
        for fact in understood:
            by = fact.by if fact.by in _READERS else "words" if fact.text else "earlier"
            self._readings.labels(by).inc()

    def show_cases(self, counts: Mapping[str, int]) -> None:
        """Says how many questions officials have, by state."""
        for state, number in counts.items():
            self._cases.labels(state).set(number)

    def show_quota(self, left: int | None) -> None:
        """Says how many messages may still be pushed; None where there is no limit."""
        self._quota.set(math.inf if left is None else left)

    def count_refused(self, channel: str) -> None:
        """Counts a message that came too soon after others."""
        self._refused.labels(channel).inc()

    def count_delivery(self, channel: str, outcome: Outcome) -> None:
        """Counts an attempt to deliver."""
        self._deliveries.labels(channel, outcome).inc()

    def count_model(self, use: ModelUse) -> None:
        """Counts what a chat model did for a message."""
        self._model_requests.labels(use.model, "reading", use.reading).inc()
        self._model_requests.labels(use.model, "choice", use.choice).inc()
        fates = {"admitted": use.admitted, "agreed": use.agreed, "disagreed": use.disagreed}
        for fate, number in (fates | {f"refused: {reason}": number for reason, number in use.refused.items()}).items():
            self._model_facts.labels(use.model, fate).inc(number)
        self._model_chosen.labels(use.model).inc(use.chosen)
        if use.seconds:
            self._model_seconds.labels(use.model).observe(use.seconds)
        self._model_tokens.labels(use.model).set(use.tokens_today)

    def show_index(self, index: IndexState) -> None:
        """Says which index serves."""
        self._index.clear()
        self._index.labels(index.generation).set(1)
        for kind, number in index.sizes.items():
            self._entries.labels(kind).set(number)

    def show_watch(self, changes: int, problems: int) -> None:
        """Says what the watched pages changed, and how many of them could not be fetched."""
        self._watched.set(changes)
        self._unwatched.set(problems)

    def show_queue(self, queue: Queue | None) -> None:
        """Says what lies in the inbox; None where the database does not tell."""
        self._queue.clear()
        self._queue_age.set(queue.age if queue else math.nan)
        if queue:
            self._queue.labels("waiting").set(queue.waiting)
            self._queue.labels("parked").set(queue.parked)

    def as_text(self) -> bytes:
        """All of it in Prometheus' text format."""
        return generate_latest(self._registry)
