"""Callers who wait: answered when their job ends, and never left without a response."""

from typing import Any

import gevent
import pytest
from redis.exceptions import ConnectionError as Lost
from redis.exceptions import ResponseError
from werkzeug.test import TestResponse

from jobs.predictions.consumer import Outcome
from jobs.predictions.status import PredictionStatus
from tests.unit.web.conftest import NewSite
from tests.unit.web.site import Site, problem
from web import waiting

BODY = {"inputs": {"years": 2.5}}


@pytest.fixture
def time_stands_still(monkeypatch: pytest.MonkeyPatch) -> None:
    """No wait ends by time, and no record is read again: a caller is answered by a message only."""
    monkeypatch.setattr(waiting, "TICK_SECONDS", 3600)
    monkeypatch.setattr(waiting, "READ_AGAIN_EVERY_SECONDS", 3600)


@pytest.fixture
def reads_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "READ_AGAIN_EVERY_SECONDS", 0.02)


def answer_to(greenlet: Any) -> TestResponse:
    response: TestResponse = greenlet.get(timeout=2)
    return response


def answered(call: Any, *arguments: Any, **named: Any) -> Any:
    """The result of a call, or a failure if it takes too long."""
    return gevent.spawn(call, *arguments, **named).get(timeout=10)


@pytest.mark.usefixtures("time_stands_still")
@pytest.mark.parametrize(("prefer", "applied"), [("wait=10", "wait=10"), ('wait="99"', "wait=25")])
def test_a_post_that_waits_gets_the_finished_job(site: Site, prefer: str, applied: str) -> None:
    response = answered(site.hire().post, BODY, Prefer=prefer)
    assert response.status_code == 200
    assert response.headers["Preference-Applied"] == applied
    assert "Location" not in response.headers
    assert "Retry-After" not in response.headers
    assert response.get_json() == site.show(response.get_json()["id"])
    assert response.get_json()["output"] == {"prediction": 260.00012}


@pytest.mark.usefixtures("time_stands_still")
@pytest.mark.parametrize("prefer", ["respond-async", "respond-async, wait=10", "wait=0", ""])
def test_a_caller_that_does_not_wait_gets_202_at_once(site: Site, prefer: str) -> None:
    response = answered(site.post, BODY, Prefer=prefer)
    assert response.status_code == 202
    assert response.headers["Location"] == f"/v1/predictions/{response.get_json()['id']}"
    assert response.headers["Retry-After"] == "5"  # there is no worker to tell how long it takes
    assert "Preference-Applied" not in response.headers


def test_a_job_that_is_not_finished_in_time_is_202_and_continues(site: Site) -> None:
    response = site.post(BODY, Prefer="wait=1")
    assert response.status_code == 202
    assert "Preference-Applied" not in response.headers
    site.work()
    assert site.show(response.get_json()["id"])["status"] == "succeeded"


def test_a_wait_that_ends_while_the_job_runs_shows_it_running(site: Site) -> None:
    waits = site.started(site.post, BODY, Prefer="wait=1")
    site.consumer.claim("child", "wake_up", rows=1)
    assert answer_to(waits).status_code == 202
    assert answer_to(waits).get_json()["status"] == "running"


@pytest.mark.usefixtures("time_stands_still")
def test_a_reader_waits_for_the_end(site: Site) -> None:
    job_id = site.post_years()
    waits = site.started(site.show, job_id, "?wait=10")
    also_waits = site.started(site.show, job_id, "?wait=10")
    site.work()
    for reader in (waits, also_waits):
        assert reader.get(timeout=2)["status"] == "succeeded"
    assert answered(site.show, job_id, "?wait=10")["status"] == "succeeded"


def test_when_the_time_is_over_the_job_is_shown_as_it_is(site: Site) -> None:
    assert site.show(site.post_years(), "?wait=1")["status"] == "queued"


def test_a_cancel_ends_the_wait_of_others(site: Site) -> None:
    waits = site.started(site.post, BODY, Prefer="wait=10")
    [job_id] = site.jobs()
    assert site.client.post(f"/v1/predictions/{job_id}/cancel").status_code == 200
    assert answer_to(waits).get_json()["status"] == "canceled"


def test_each_caller_gets_the_job_that_it_posted(site: Site) -> None:
    years = [index / 4 for index in range(60)]
    waits = [gevent.spawn(site.post, {"inputs": {"years": one}}, Prefer="wait=10") for one in years]
    while site.queued() < len(years):
        gevent.sleep(0)
    site.work()
    given = [answer_to(one).get_json()["output"] for one in waits]
    read = [site.post_years(one) for one in years]
    site.work()
    assert given == [site.show(job_id)["output"] for job_id in read]
    assert len({str(output) for output in given}) > 4


@pytest.mark.usefixtures("time_stands_still")
def test_if_too_many_callers_wait_the_next_is_answered_at_once(new_site: NewSite) -> None:
    site = new_site(max_waiting_callers=1)
    waits = site.started(site.post, BODY, Prefer="wait=10")
    other = answered(site.post, BODY, Prefer="wait=10")
    assert answered(site.show, other.get_json()["id"], "?wait=10")["status"] == "queued"
    assert other.status_code == 202
    site.work()
    assert answer_to(waits).status_code == 200
    assert site.hire().post(BODY, Prefer="wait=10").status_code == 200


@pytest.mark.usefixtures("time_stands_still")
def test_when_web_stops_all_callers_are_answered_and_no_more_wait(site: Site) -> None:
    waits = [site.started(site.post, BODY, Prefer="wait=10") for _ in range(3)]
    reads = site.started(site.show, site.post_years(), "?wait=10")
    site.web.waiting.wake_all()
    assert [answer_to(one).status_code for one in waits] == [202, 202, 202]
    assert reads.get(timeout=2)["status"] == "queued"
    assert answered(site.post, BODY, Prefer="wait=10").status_code == 202
    assert site.queued() == 5


@pytest.mark.usefixtures("time_stands_still", "reads_again")
def test_a_lost_message_is_made_up_for_by_reading_again(site: Site) -> None:
    site.redis.loses_messages = True
    assert answered(site.hire().post, BODY, Prefer="wait=10").status_code == 200


@pytest.mark.usefixtures("reads_again")
@pytest.mark.parametrize("failure", [Lost("gone"), ResponseError("MISCONF cannot persist")])
def test_a_waiting_caller_is_answered_after_a_failure_of_redis(site: Site, failure: Exception) -> None:
    waits = site.started(site.post, BODY, Prefer="wait=10")
    site.redis.failure = failure
    gevent.sleep(0.1)
    site.redis.failure = None
    site.work()
    assert answer_to(waits).status_code == 200


def test_recms_is_refused_if_too_many_callers_wait(new_site: NewSite) -> None:
    site = new_site(max_waiting_callers=0)
    problem(site.client.post("/recms", json={"years": "2.5"}), 503)
    assert site.jobs() == []


def test_recms_that_takes_too_long_is_canceled(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("web.submission.LONGEST_WAIT_SECONDS", 0.1)
    problem(site.client.post("/recms", json={"years": "2.5"}), 503)
    [job_id] = site.jobs()
    assert site.show(job_id)["status"] == "canceled"


def test_recms_shows_why_a_job_failed(site: Site) -> None:
    waits = site.started(site.client.post, "/recms", json={"years": "2.5"})
    [claim] = site.consumer.claim("child", "wake_up", rows=1)
    error = b'{"type":"model_unavailable","detail":"no worker could load salary@1"}'
    assert len(site.consumer.record([Outcome(claim, PredictionStatus.FAILED, error=error)])) == 1
    assert problem(answer_to(waits), 503)["detail"] == "no worker could load salary@1"


@pytest.mark.parametrize("waits", ["post", "show"])
def test_a_caller_whose_job_was_deleted_meanwhile_is_not_told_a_state_that_has_passed(
    site: Site, waits: str
) -> None:
    site.redis.loses_messages = True
    if waits == "post":
        caller = site.started(site.post, BODY, Prefer="wait=1")
        [job_id] = site.jobs()
    else:
        job_id = site.post_years()
        caller = site.started(site.client.get, f"/v1/predictions/{job_id}?wait=1")
    assert site.cancel(job_id).status_code == 200
    assert site.delete(job_id).status_code == 204
    assert "deleted" in problem(answer_to(caller), 404)["detail"]


def test_a_caller_whose_job_cannot_be_read_is_told_that_it_was_accepted(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(waiting, "READ_AGAIN_EVERY_SECONDS", 3600)
    caller = site.started(site.post, BODY, Prefer="wait=1")
    site.redis.failure = Lost("gone")
    assert answer_to(caller).status_code == 202


@pytest.mark.usefixtures("time_stands_still", "reads_again")
def test_a_record_that_cannot_be_read_keeps_no_other_caller_waiting(site: Site) -> None:
    site.redis.loses_messages = True
    bad = site.post_years()
    waits = [site.started(site.show, job_id, "?wait=10") for job_id in (bad, site.post_years())]
    site.redis.hset(f"job:{bad}", "status", "lost")
    site.work()
    assert waits[1].get(timeout=2)["status"] == "succeeded"


@pytest.mark.usefixtures("time_stands_still")
def test_a_message_that_cannot_be_read_ends_no_subscription(site: Site) -> None:
    waits = site.started(site.post, BODY, Prefer="wait=10")
    site.redis.publish(site.web.waiting.channel, b"pred_x\nsucceeded\nmany\n\n\n\n\n")
    site.work()
    assert answer_to(waits).status_code == 200
