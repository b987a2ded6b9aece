"""Idempotency-Key and Cancel-After."""

from datetime import datetime

import gevent
import pytest

from tests.unit.conftest import Clock
from tests.unit.web.conftest import NewSite
from tests.unit.web.site import Site, problem
from web.keys import digest

BODY = {"inputs": {"years": 2.5}}


def test_a_key_used_again_with_its_body_gives_the_same_job(site: Site) -> None:
    first = site.post(BODY, Idempotency_Key="order-1")
    again = site.post(BODY, Idempotency_Key="order-1")
    assert (first.status_code, again.status_code) == (202, 202)
    assert "Idempotency-Replayed" not in first.headers
    assert again.headers["Idempotency-Replayed"] == "true"
    assert again.headers["Location"] == first.headers["Location"]
    assert again.get_json() == first.get_json()
    assert site.queued() == 1


def test_a_key_used_again_shows_the_current_state_of_its_job(site: Site) -> None:
    job_id = site.post_years(Idempotency_Key="order-1")
    site.work()
    again = site.post(BODY, Idempotency_Key="order-1")
    assert (again.status_code, again.get_json()) == (202, site.show(job_id))
    waited = site.post(BODY, Idempotency_Key="order-1", Prefer="wait=5")
    assert (waited.status_code, waited.get_json()) == (200, site.show(job_id))
    assert waited.headers["Idempotency-Replayed"] == "true"


def test_a_caller_with_a_known_key_waits_for_its_job(site: Site) -> None:
    job_id = site.post_years(Idempotency_Key="order-1")
    gevent.spawn_later(0.05, site.work)
    waited = site.post(BODY, Idempotency_Key="order-1", Prefer="wait=5")
    assert (waited.status_code, waited.get_json()["id"]) == (200, job_id)
    assert waited.get_json()["output"] == {"prediction": 260.00012}


def test_a_key_used_again_with_another_body_is_refused(site: Site) -> None:
    site.post_years(2.5, Idempotency_Key="order-1")
    refused = site.post({"inputs": {"years": 4.5}}, Idempotency_Key="order-1")
    assert "another body" in problem(refused, 422)["detail"]
    assert site.queued() == 1


def test_idempotency_keys_belong_to_their_owner(new_site: NewSite) -> None:
    site = new_site(keys=f"ada:{digest('a')},bob:{digest('b')}")
    first, second = (site.post_years(X_API_Key=key, Idempotency_Key="order-1") for key in "ab")
    assert first != second


def test_a_hundred_requests_with_one_key_at_the_same_moment_make_one_job(site: Site) -> None:
    posting = [gevent.spawn(site.post, BODY, Idempotency_Key="order-1") for _ in range(100)]
    gevent.joinall(posting)
    answers = [each.get() for each in posting]
    assert {answer.status_code for answer in answers} == {202}
    assert len({answer.get_json()["id"] for answer in answers}) == 1
    assert sum("Idempotency-Replayed" in answer.headers for answer in answers) == 99
    assert site.queued() == 1


def test_a_refused_request_does_not_use_up_its_key(new_site: NewSite) -> None:
    site = new_site(max_waiting=1)
    first = site.post_years()
    problem(site.post(BODY, Idempotency_Key="order-1"), 503)
    problem(site.post({"inputs": {}}, Idempotency_Key="order-1"), 422)
    site.cancel(first)
    assert "Idempotency-Replayed" not in site.post(BODY, Idempotency_Key="order-1").headers


def test_a_known_key_is_answered_even_if_the_queue_is_full(new_site: NewSite) -> None:
    site = new_site(max_waiting=1, rows_per_minute=1)
    job_id = site.post_years(Idempotency_Key="order-1")
    assert site.post_years(Idempotency_Key="order-1") == job_id


def test_a_key_lasts_as_long_as_its_job(site: Site) -> None:
    job_id = site.post_years(Idempotency_Key="order-1")
    [key] = site.redis.keys("idempotency:*")
    assert site.redis.ttl(key) == -1
    site.work()
    assert site.redis.pttl(key) == pytest.approx(site.redis.pttl(f"job:{job_id}"), abs=100)
    site.delete(job_id)
    assert site.post_years(Idempotency_Key="order-1") != job_id


@pytest.mark.parametrize("key", ["", "two words", "é", "x" * 256, "tab\t"])
def test_a_key_that_cannot_be_read_is_refused(site: Site, key: str) -> None:
    assert "Idempotency-Key" in problem(site.post(BODY, Idempotency_Key=key), 400)["detail"]
    assert site.is_untouched()


@pytest.mark.parametrize(
    ("text", "seconds"),
    [("30s", 30), ("30", 30), ("5m", 300), ("1h30m", 5400), ("1H1M1S", 3661), ("168h", 604800)],
)
def test_a_deadline_is_that_long_after_the_post(site: Site, text: str, seconds: int) -> None:
    posted = site.post(BODY, Cancel_After=text).get_json()
    created, deadline = (datetime.fromisoformat(posted[name]) for name in ("created_at", "deadline_at"))
    assert (deadline - created).total_seconds() == pytest.approx(seconds, abs=5)
    assert site.show(posted["id"])["deadline_at"] == posted["deadline_at"]


@pytest.mark.parametrize(
    "text", ["", "0", "0s", "-5s", "soon", "1.5s", "5 s", "s", "30s5m", "169h", "9" * 30, "٣s"]
)
def test_a_deadline_that_cannot_be_read_is_refused(site: Site, text: str) -> None:
    assert "Cancel-After" in problem(site.post(BODY, Cancel_After=text), 400)["detail"]
    assert site.is_untouched()


def test_a_job_that_is_not_started_by_its_deadline_expires(clock: Clock, site: Site) -> None:
    job_id = site.post_years(Cancel_After="1s")
    clock.forward(1)
    shown = site.show(job_id)
    assert shown["status"] == "expired"
    assert shown["error"] == {
        "type": "deadline_passed",
        "detail": "no worker started this job by its deadline",
    }
    assert shown["started_at"] is None
    assert shown["finished_at"] >= shown["deadline_at"]
    problem(site.cancel(job_id), 409)
    assert site.delete(job_id).status_code == 204


def test_a_caller_that_waits_past_the_deadline_gets_the_expired_job(site: Site) -> None:
    answered = site.post(BODY, Prefer="wait=10", Cancel_After="1s")
    assert (answered.status_code, answered.get_json()["status"]) == (200, "expired")


def test_scored_in_time_a_job_keeps_its_deadline(site: Site) -> None:
    site.hire()
    answered = site.post(BODY, Prefer="wait=10", Cancel_After="30s").get_json()
    assert answered["status"] == "succeeded"
    assert answered["deadline_at"] == site.show(answered["id"])["deadline_at"] is not None
    assert site.redis.zcard("deadlines") == 0
