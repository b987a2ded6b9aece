"""Web and workers as processes send their spans to a collector, and go on without one."""

from functools import partial
from typing import Any

import pytest
import requests

from tests.integration.conftest import StartStack
from tests.integration.service import free_port, wait_until
from tests.integration.stack import Stack
from tests.receiver import WebhookReceiver

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
SPANS = {
    ("paygrade-web", "POST /v1/predictions"),
    ("paygrade-web", "POST /v1/batches"),
    *(("paygrade-worker", name) for name in ("wait", "claim", "score", "plan", "join")),
}
SOON = {"OTEL_BSP_SCHEDULE_DELAY": "100"}

pytestmark = pytest.mark.process


def start(start_stack: StartStack, port: int) -> Stack:
    settings = {"PAYGRADE_QUEUES": "predictions,batches", "PAYGRADE_BATCH_CHILDREN": "1"}
    stack = start_stack(settings | SOON | {"PAYGRADE_OTLP_ENDPOINT": f"http://127.0.0.1:{port}"})
    stack.start_web()
    stack.ready(stack.start_worker(), children=2)
    return stack


def post(stack: Stack) -> None:
    headers = {"traceparent": f"00-{TRACE}-00f067aa0ba902b7-01"}
    for path, body in (
        ("predictions", {"inputs": {"years": 2.5}}),
        ("batches", {"rows": [{"years": 2.5}]}),
    ):
        posted = requests.post(f"{stack.address}/v1/{path}", json=body, headers=headers, timeout=60).json()
        address = f"{stack.address}{posted['urls']['self']}"
        wait_until("it has ended", partial(succeeded, address))


def succeeded(address: str) -> bool:
    status: str = requests.get(address, {"wait": 5}, timeout=60).json()["status"]
    return status == "succeeded"


def spans_of(collector: WebhookReceiver) -> dict[tuple[str, str], Any]:
    """By service and name."""
    from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest

    found: dict[tuple[str, str], Any] = {}
    for received in collector.received:
        assert received.path == "/v1/traces"
        for each in ExportTraceServiceRequest.FromString(received.body).resource_spans:
            named = {one.key: one.value.string_value for one in each.resource.attributes}
            for scope in each.scope_spans:
                found |= {(named["service.name"], span.name): span for span in scope.spans}
    return found


def test_a_collector_gets_the_spans_of_all_processes(start_stack: StartStack) -> None:
    with WebhookReceiver() as collector:
        collector.behave = lambda handler: handler.answer(200, Content_Type="application/x-protobuf")
        stack = start(start_stack, collector.port)
        post(stack)
        wait_until("all spans have arrived", lambda: set(spans_of(collector)) >= SPANS)
        found = spans_of(collector)
        assert {found[each].trace_id.hex() for each in SPANS} == {TRACE}


def test_without_the_collector_all_goes_on(start_stack: StartStack) -> None:
    stack = start(start_stack, free_port())
    for _ in range(3):
        post(stack)
