"""Traces for OpenTelemetry, where a collector is set: each delivery and each answer with its parts, without texts."""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager

from bot.settings import Settings, SettingsError
from bot.timing import Span

_NANO = 1_000_000_000

Attributes = Mapping[str, str | int]


class Tracing:
    """Tells a collector what took how long. One that is not set up does nothing."""

    def __init__(self) -> None:
        """Tells nobody."""
        self.close: Callable[[], None] = lambda: None

    @contextmanager
    def during(self, name: str, attributes: Attributes) -> Iterator[None]:
        """The block is a span, of which those that begin in it are parts."""
        yield

    def tell(self, name: str, seconds: float, parts: Sequence[Span], attributes: Attributes) -> None:
        """Something has just ended that took so long, in these parts."""


class _ToCollector(Tracing):
    def __init__(self, endpoint: str) -> None:
        from opentelemetry.exporter.otlp.proto.grpc.trace_exporter import OTLPSpanExporter
        from opentelemetry.sdk.resources import Resource
        from opentelemetry.sdk.trace import TracerProvider
        from opentelemetry.sdk.trace.export import BatchSpanProcessor

        provider = TracerProvider(resource=Resource.create({"service.name": "madoguchi"}))
        provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(endpoint)))
        self._tracer = provider.get_tracer("madoguchi")
        self.close = provider.shutdown

    @contextmanager
    def during(self, name: str, attributes: Attributes) -> Iterator[None]:
        with self._tracer.start_as_current_span(
            name, attributes=attributes, record_exception=False, set_status_on_exception=False
        ):  # an exception's text may have words of a message
            yield

    def tell(self, name: str, seconds: float, parts: Sequence[Span], attributes: Attributes) -> None:
        from opentelemetry.trace import set_span_in_context

        ended = time.time_ns()
        began = ended - int(seconds * _NANO)
        whole = self._tracer.start_span(name, attributes=attributes, start_time=began)
        for part in parts:
            started = began + int(part.began * _NANO)
            inner = self._tracer.start_span(part.name, set_span_in_context(whole), start_time=started)
            inner.end(started + int(part.seconds * _NANO))
        whole.end(ended)


def open_tracing(settings: Settings) -> Tracing:
    """What is set up; without a collector, OpenTelemetry is not even imported.

    Raises:
        SettingsError: a collector is set, and OpenTelemetry is not installed.
    """
    if not settings.otel_exporter_otlp_endpoint:
        return Tracing()
    try:
        return _ToCollector(settings.otel_exporter_otlp_endpoint)
    except ImportError as error:
        raise SettingsError(
            f"OTEL_EXPORTER_OTLP_ENDPOINT を使うには OpenTelemetry が要ります({error.name} がありません)。"
            'pip install "madoguchi[otel]" で入れるか、この設定を消してください。'
        ) from error
