"""Admission refuses while Redis is unavailable or full or a key is over its limit, and only then."""

from pathlib import Path

import gevent
import pytest
from redis.exceptions import ConnectionError as Lost
from redis.exceptions import OutOfMemoryError, ReadOnlyError
from redis.exceptions import TimeoutError as TooLate

from jobs.queues.names import PREDICTIONS
from jobs.queues.script_calls import create_groups
from tests.unit.conftest import Clock, living
from tests.unit.web.conftest import NewSite
from tests.unit.web.faulty_redis import FaultyRedis
from tests.unit.web.site import Site, problem
from web import capacity_watch
from web.keys import digest

BODY = {"inputs": {"years": 2.5}}
AWAY = [Lost("Connection refused"), TooLate("Timeout reading"), ReadOnlyError("a replica"), OSError("reset")]


@pytest.mark.parametrize("failure", AWAY, ids=lambda failure: type(failure).__name__)
def test_while_redis_is_unavailable_it_is_503_and_works_again_afterwards(
    site: Site, failure: Exception
) -> None:
    path = f"/v1/predictions/{site.post_years()}"
    site.redis.failure = failure
    problem(site.post(BODY), 503)
    problem(site.post(BODY, Prefer="wait=20"), 503)
    problem(site.client.post("/recms", json={"years": 1}), 503)
    for query in ("", "?wait=20"):
        problem(site.client.get(path + query), 503)
    problem(site.client.post(f"{path}/cancel"), 503)
    problem(site.client.get("/readyz"), 503)
    assert site.client.get("/healthz").get_json() == {"status": "ok"}

    site.redis.failure = None
    assert site.client.get("/readyz").get_json() == {"status": "ready"}
    assert site.queued() == 1
    site.work()
    assert site.hire().post(BODY, Prefer="wait=20").status_code == 200


def test_predictions_are_added_by_the_connection_of_admission(new_site: NewSite) -> None:
    redis = FaultyRedis()
    create_groups(redis)
    site = new_site(admission_redis=redis)
    site.post_years()
    assert (redis.xlen(PREDICTIONS.stream), site.queued()) == (1, 0)
    assert site.list_jobs()["data"] == []


def test_redis_out_of_memory_is_503(site: Site) -> None:
    site.redis.failure = OutOfMemoryError("command not allowed when used memory > 'maxmemory'")
    problem(site.post(BODY), 503)
    assert site.is_untouched()
    assert site.post(BODY).status_code == 202


def test_a_full_queue_is_503_until_it_is_shorter(new_site: NewSite) -> None:
    site = new_site(max_waiting=2)
    kept = [site.post_years(), site.post_years()]
    problem(site.post(BODY), 503)
    problem(site.client.post("/recms", json={"years": 1}), 503)
    assert site.queued() == len(site.jobs()) == 2
    site.work()
    assert [site.show(job_id)["status"] for job_id in kept] == ["succeeded"] * 2
    assert site.post(BODY).status_code == 202


def test_a_nearly_full_redis_is_503_until_it_has_room(
    new_site: NewSite, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(capacity_watch, "MEASURE_EVERY_SECONDS", 0.01)
    site = new_site(max_memory_percent=70)
    for used, status in ((69_000, 202), (70_000, 503), (100_000, 503), (50_000, 202)):
        site.redis.memory = {"used_memory": used, "maxmemory": 100_000}
        gevent.sleep(0.05)
        response = site.post(BODY)
        assert response.status_code == status
        assert status != 503 or problem(response, 503)
    assert site.queued() == 2


def test_a_nearly_full_redis_can_still_be_read(new_site: NewSite, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capacity_watch, "MEASURE_EVERY_SECONDS", 0.01)
    site = new_site()
    job_id = site.post_years()
    site.redis.memory = {"used_memory": 99, "maxmemory": 100}
    gevent.sleep(0.05)
    assert site.show(job_id)["status"] == "queued"
    assert site.client.post(f"/v1/predictions/{job_id}/cancel").status_code == 200


@pytest.mark.parametrize("away", [Lost("gone"), RuntimeError("kombu's")])
def test_a_wake_up_that_cannot_be_sent_does_not_fail_the_post(site: Site, away: Exception) -> None:
    def fail(_: str) -> None:
        raise away

    site.consumer.report_alive(living("child"))
    site.on_wake_up = fail
    assert [site.post(BODY).status_code for _ in range(2)] == [202, 202]
    assert site.queued() == 2


def test_a_key_over_its_rows_is_429_until_the_minute_is_over(new_site: NewSite, clock: Clock) -> None:
    site = new_site(keys=f"ann:{digest('a')},bob:{digest('b')}", rows_per_minute=3)
    assert site.post({"inputs": [{"years": 1}, {"years": 2}]}, X_API_Key="a").status_code == 202
    refused = site.post({"inputs": [{"years": 1}, {"years": 2}]}, X_API_Key="a")
    problem(refused, 429)
    seconds = int(refused.headers["Retry-After"])
    assert seconds <= 42
    assert site.post(BODY, X_API_Key="a").status_code == 202
    problem(site.post(BODY, X_API_Key="a"), 429)
    problem(site.client.post("/recms", json={"years": 1}, headers={"X-API-Key": "a"}), 429)
    assert site.post(BODY, X_API_Key="b").status_code == 202
    assert site.queued() == 3
    clock.forward(seconds)
    assert site.post(BODY, X_API_Key="a").status_code == 202


def test_a_list_that_no_minute_allows_has_no_retry_after(new_site: NewSite) -> None:
    site = new_site(rows_per_minute=3)
    refused = site.post({"inputs": [{"years": 1}] * 4})
    assert 400 <= refused.status_code < 500
    assert "Retry-After" not in refused.headers


def test_a_row_does_not_affect_those_posted_with_it(new_site: NewSite, rent_bundles: Path) -> None:
    site = new_site(bundles=rent_bundles)
    rows = [{"rooms": rooms, "city": "Bern", "m²/~": 1} for rooms in (1, 1e30, 2)]
    posts = [gevent.spawn(site.post, {"inputs": row}) for row in rows]
    first, _, last = (post.get(timeout=2) for post in posts)
    assert (first.status_code, last.status_code) == (202, 202)
