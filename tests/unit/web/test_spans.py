"""What a collector of traces gets: the request, the wait, the claim, the scoring and the webhook of a job."""

import logging
from collections.abc import Callable
from typing import Any

import pytest

from jobs.errors import InvalidSettings
from jobs.settings import Settings
from jobs.tracing import Tracing, check_tracing, tracing_of
from tests.unit.web.batch_calls import posted
from tests.unit.web.conftest import NewSite
from tests.unit.web.site import Site

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
CALLER = "00f067aa0ba902b7"
SAMPLED, NOT_SAMPLED = f"00-{TRACE}-{CALLER}-01", f"00-{TRACE}-{CALLER}-00"
URL = "http://localhost/hook"
SECRET = "secret-of-a-caller"

Finished = Callable[[], list[Any]]


@pytest.fixture
def exporter() -> Any:
    from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter

    return InMemorySpanExporter()


@pytest.fixture
def site(new_site: NewSite, exporter: Any) -> Site:
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import SimpleSpanProcessor

    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    return new_site(
        tracing=Tracing(provider),
        webhook_secrets="anonymous:whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        webhook_hosts="localhost",
    )


@pytest.fixture
def finished(exporter: Any) -> Finished:
    """The spans so far, in the order of their beginnings."""

    def spans() -> list[Any]:
        return sorted(exporter.get_finished_spans(), key=lambda span: span.start_time)

    return spans


def tree(spans: list[Any]) -> dict[str, str]:
    """The name of each span's parent; the caller's is that of none of them."""
    names = {f"{span.context.span_id:016x}": span.name for span in spans}
    parents = {span.name: f"{span.parent.span_id:016x}" if span.parent else "" for span in spans}
    return {name: names.get(parent, parent) for name, parent in parents.items()}


def traces(spans: list[Any]) -> set[str]:
    return {f"{span.context.trace_id:032x}" for span in spans}


def test_a_prediction_is_one_trace_from_its_caller_to_its_webhook(site: Site, finished: Finished) -> None:
    site.post({"inputs": {"years": 2.5}, "webhook": URL, "metadata": {"a": SECRET}}, traceparent=SAMPLED)
    site.work()
    site.send_webhooks()
    spans = finished()
    assert tree(spans) == {
        "POST /v1/predictions": CALLER,
        "wait": "POST /v1/predictions",
        "claim": "POST /v1/predictions",
        "score": "claim",
        "webhook": "POST /v1/predictions",
    }
    assert traces(spans) == {TRACE}
    assert all(span.start_time <= span.end_time for span in spans)
    assert SECRET not in "".join(span.to_json() for span in spans)


def test_spans_say_what_they_are_about(site: Site, finished: Finished) -> None:
    job_id = site.post({"inputs": [{"years": 2.5}, {"years": 3}]}, traceparent=SAMPLED).get_json()["id"]
    site.work()
    said = {span.name: dict(span.attributes) for span in finished()}
    request = said["POST /v1/predictions"]
    assert (request["http.response.status_code"], request["paygrade.job_id"]) == (202, job_id)
    assert request["paygrade.request_id"]
    assert said["claim"] == {
        "paygrade.job_id": job_id,
        "paygrade.attempt": 1,
        "paygrade.rows": 2,
        "paygrade.status": "succeeded",
    }
    assert said["score"] == {"paygrade.model": "salary@1", "paygrade.rows": 2}


def test_a_batch_is_one_trace_with_each_of_its_tasks(site: Site, finished: Finished) -> None:
    posted(site, query=f"?webhook={URL}", traceparent=SAMPLED)
    site.score_batches()
    site.send_webhooks()
    request = "POST /v1/batches"
    assert tree(finished()) == {request: CALLER} | dict.fromkeys(
        ("wait", "plan", "score", "join", "webhook"), request
    )
    assert traces(finished()) == {TRACE}


def test_a_receiver_gets_the_span_of_its_webhook(site: Site, finished: Finished) -> None:
    site.post({"inputs": {"years": 2.5}, "webhook": URL}, traceparent=SAMPLED)
    site.work()
    site.send_webhooks()
    [webhook] = [span for span in finished() if span.name == "webhook"]
    [(_, headers, _)] = site.webhooks
    assert headers["traceparent"] == f"00-{TRACE}-{webhook.context.span_id:016x}-01"


def test_a_request_without_a_trace_begins_one_which_the_log_has(
    site: Site, finished: Finished, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    site.post({"inputs": {"years": 2.5}})
    site.work()
    [trace] = traces(finished())
    site.web.access_log.write()
    assert b"".join(site.logged).count(trace.encode()) == 3  # accepted, recorded, answered


def test_a_trace_that_its_caller_does_not_sample_is_passed_on_and_has_no_spans(
    site: Site, finished: Finished
) -> None:
    site.post({"inputs": {"years": 2.5}, "webhook": URL}, traceparent=NOT_SAMPLED)
    site.work()
    site.send_webhooks()
    assert finished() == []
    [(_, headers, _)] = site.webhooks
    assert (headers["traceparent"][3:35], headers["traceparent"][-2:]) == (TRACE, "00")


def test_what_machines_ask_every_few_seconds_has_no_spans(site: Site, finished: Finished) -> None:
    for path in ("/healthz", "/readyz", "/metrics"):
        site.client.get(path)
    assert finished() == []


def test_a_refused_request_has_a_span(site: Site, finished: Finished) -> None:
    site.post({"inputs": {"years": "many"}})
    [span] = finished()
    assert (span.name, span.attributes["http.response.status_code"]) == ("POST /v1/predictions", 422)


def test_without_a_collector_there_is_no_tracing() -> None:
    assert tracing_of("", "paygrade-web") is None


def test_a_collector_without_the_packages_stops_the_start(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("jobs.tracing.find_spec", lambda _: None)
    check_tracing("")
    with pytest.raises(InvalidSettings, match=r"requirements/otel\.txt"):
        check_tracing("http://localhost:4318")


@pytest.mark.parametrize("endpoint", ["localhost:4318", "grpc://localhost:4317", "http://", "http://a b"])
def test_an_address_that_is_none_is_refused(endpoint: str) -> None:
    with pytest.raises(ValueError, match="otlp_endpoint"):
        Settings(otlp_endpoint=endpoint)
