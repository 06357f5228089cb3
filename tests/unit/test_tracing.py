"""Traces as a collector gets them, over OTLP."""

from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from opentelemetry.proto.collector.trace.v1 import trace_service_pb2, trace_service_pb2_grpc

from bot.settings import Settings
from bot.timing import Span, begin, span
from bot.tracing import open_tracing


class Collector(trace_service_pb2_grpc.TraceServiceServicer):
    def __init__(self):
        self.spans = []

    def Export(self, request, context):  # noqa: N802 (the protocol's name)
        self.spans += [s for r in request.resource_spans for scope in r.scope_spans for s in scope.spans]
        return trace_service_pb2.ExportTraceServiceResponse()


@pytest.fixture
def collector():
    collector = Collector()
    server = grpc.server(ThreadPoolExecutor(1))
    trace_service_pb2_grpc.add_TraceServiceServicer_to_server(collector, server)
    collector.url = f"http://127.0.0.1:{server.add_insecure_port('127.0.0.1:0')}"
    server.start()
    yield collector
    server.stop(None)


def test_an_answer_is_told_with_its_parts_inside_the_delivery(collector):
    tracing = open_tracing(Settings(otel_exporter_otlp_endpoint=collector.url))
    parts = (Span("understand", 0.0, 0.01), Span("find", 0.01, 0.02))
    with tracing.during("deliver", {"event": 7, "channel": "line"}):
        tracing.tell("answer", 0.05, parts, {"status": "answered"})
    tracing.close()
    spans = {found.name: found for found in collector.spans}
    names = {found.span_id: found.name for found in collector.spans}
    assert {name: names.get(found.parent_span_id) for name, found in spans.items()} == {
        "deliver": None,
        "answer": "deliver",
        "understand": "answer",
        "find": "answer",
    }
    assert spans["find"].end_time_unix_nano - spans["find"].start_time_unix_nano == 20_000_000


def test_without_a_collector_nothing_is_told_and_parts_are_measured_where_they_are_wanted():
    tracing = open_tracing(Settings())
    with tracing.during("deliver", {}):
        tracing.tell("answer", 0.05, (), {})
    tracing.close()
    with span("nobody asks"):
        pass
    spans = begin()
    with span("whole"), span("part"):
        pass
    assert [found.name for found in spans] == ["part", "whole"]
