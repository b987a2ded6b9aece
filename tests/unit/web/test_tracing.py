"""The trace of a caller's request goes from web to the worker and to the webhook, in logs and headers."""

import logging
from typing import Any

import orjson
import pytest

from tests.unit.web.batch_calls import posted
from tests.unit.web.conftest import NewSite
from tests.unit.web.site import Site

TRACE = "4bf92f3577b34da6a3ce929d0e0e4736"
TRACEPARENT = f"00-{TRACE}-00f067aa0ba902b7-01"
URL = "http://localhost/hook"


@pytest.fixture
def site(new_site: NewSite) -> Site:
    return new_site(
        webhook_secrets="anonymous:whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", webhook_hosts="localhost"
    )


def traced(site: Site, caplog: pytest.LogCaptureFixture) -> dict[str, Any]:
    """The trace ids of the log, by event."""
    site.web.access_log.write()
    lines = [orjson.loads(line) for lines in site.logged for line in lines.splitlines()]
    records = [(record.msg, getattr(record, "trace_id", None)) for record in caplog.records]
    return {line["event"]: line.get("trace_id") for line in lines} | dict(records)


def test_a_trace_goes_from_the_caller_of_a_prediction_to_its_webhook(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    site.post({"inputs": {"years": 2.5}, "webhook": URL}, traceparent=TRACEPARENT)
    site.work()
    site.send_webhooks()
    found = traced(site, caplog)
    assert {found[each] for each in ("accepted", "recorded", "answered", "webhook_attempted")} == {TRACE}
    [(_, headers, _)] = site.webhooks
    assert headers["traceparent"] == TRACEPARENT


def test_a_trace_goes_from_the_caller_of_a_batch_to_its_webhook(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    posted(site, query=f"?webhook={URL}", traceparent=TRACEPARENT)
    site.score_batches()
    site.send_webhooks()
    found = traced(site, caplog)
    assert {found[each] for each in ("accepted", "ended", "answered", "webhook_attempted")} == {TRACE}
    [(_, headers, _)] = site.webhooks
    assert headers["traceparent"] == TRACEPARENT


@pytest.mark.parametrize(
    "given",
    [
        None,
        "secret",
        f"01-{TRACE}-00f067aa0ba902b7-01",
        f"00-{'0' * 32}-00f067aa0ba902b7-01",
        TRACEPARENT * 2,
    ],
)
def test_without_a_trace_that_can_be_read_nothing_of_it_is_kept(
    site: Site, caplog: pytest.LogCaptureFixture, given: str | None
) -> None:
    caplog.set_level(logging.INFO)
    headers = {"traceparent": given} if given else {}
    site.post({"inputs": {"years": 2.5}, "webhook": URL}, **headers)
    assert not site.redis.hexists(f"job:{site.jobs()[0]}", "traceparent")
    site.work()
    site.send_webhooks()
    assert set(traced(site, caplog).values()) == {None}
    [(_, sent, _)] = site.webhooks
    assert "traceparent" not in sent
