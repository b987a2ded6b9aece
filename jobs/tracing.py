"""Spans of OpenTelemetry: how long a request, its wait, its claim, its scoring and its webhook took.

They are an extra: nothing of OpenTelemetry is imported unless PAYGRADE_OTLP_ENDPOINT names a collector.
"""

from collections.abc import Mapping
from importlib.util import find_spec
from threading import Thread
from typing import TYPE_CHECKING, Any, Literal, TypeAlias

from jobs import RELEASE
from jobs.errors import InvalidSettings

if TYPE_CHECKING:
    from opentelemetry.sdk.trace import TracerProvider

CLOSE_SECONDS = 2
"""How long a process that ends waits for a collector that does not answer."""

SpanKind: TypeAlias = Literal["SERVER", "CONSUMER", "INTERNAL", "CLIENT"]
Attributes: TypeAlias = Mapping[str, str | int | None]


class Span:
    """A span that has begun. Jobs, logs and webhooks refer to it by its `traceparent`."""

    def __init__(self, span: Any, traceparent: str) -> None:
        self.traceparent = traceparent
        self._span = span

    def end(
        self, attributes: Attributes, name: str = "", at: float | None = None, failed: bool = False
    ) -> None:
        """`at` is in seconds since 1970; now if it is None."""
        from opentelemetry.trace import StatusCode

        if name:
            self._span.update_name(name)
        if failed:
            self._span.set_status(StatusCode.ERROR)
        self._span.set_attributes({key: value for key, value in attributes.items() if value is not None})
        self._span.end(None if at is None else round(at * 1e9))


class Tracing:
    """Makes the spans of one process. Which traces are kept is for the caller's traceparent to say."""

    def __init__(self, provider: "TracerProvider") -> None:
        from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

        self._provider = provider
        self._tracer = provider.get_tracer("paygrade", RELEASE)
        self._header = TraceContextTextMapPropagator()

    def start(self, name: str, kind: SpanKind, traceparent: str = "", at: float | None = None) -> Span:
        """Begins a span in the trace of this `traceparent`; empty begins a new trace."""
        from opentelemetry import trace
        from opentelemetry.context import Context

        parent = self._header.extract({"traceparent": traceparent} if traceparent else {}, Context())
        started = None if at is None else round(at * 1e9)
        span = self._tracer.start_span(name, parent, trace.SpanKind[kind], start_time=started)
        carrier: dict[str, str] = {}
        self._header.inject(carrier, trace.set_span_in_context(span, Context()))
        return Span(span, carrier["traceparent"])

    def close(self) -> None:
        """Sends what is left, if that does not take long."""
        closing = Thread(target=self._provider.shutdown, daemon=True)
        closing.start()
        closing.join(CLOSE_SECONDS)


def check_tracing(endpoint: str) -> None:
    """Raises InvalidSettings if traces are wanted and the packages for them are missing."""
    if not endpoint or _is_installed():
        return
    raise InvalidSettings(
        "PAYGRADE_OTLP_ENDPOINT asks for traces, and OpenTelemetry is not installed; "
        "install requirements/otel.txt, or unset it"
    )


def tracing_of(endpoint: str, service: str) -> Tracing | None:
    """None without a collector. Call it in the process that makes the spans: a thread of it sends them."""
    if not endpoint:
        return None
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create({"service.name": service, "service.version": RELEASE})
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    exporter = OTLPSpanExporter(f"{endpoint.rstrip('/')}/v1/traces")
    provider.add_span_processor(BatchSpanProcessor(exporter))
    return Tracing(provider)


def _is_installed() -> bool:
    try:
        return find_spec("opentelemetry.exporter.otlp.proto.http.trace_exporter") is not None
    except ModuleNotFoundError:  # of a package around it
        return False
