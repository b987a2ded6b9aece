"""Each key has limits of its own, and is told when it may post again."""

import math
from typing import Any

import gevent
import pytest
from werkzeug.test import TestResponse

from jobs.queues.usage import UsageReader
from tests.unit.conftest import Clock, job, scored
from tests.unit.web.conftest import NewSite
from tests.unit.web.site import Site, problem
from web import capacity_watch
from web.keys import digest

BODY = {"inputs": {"years": 2.5}}
KEYS = f"ann:{digest('a')},bob:{digest('b')},cleo:{digest('c')}"
RETENTION = 3_600
JOB_AND_OUTPUT = 540
"""About what an ended job of one row takes, as it is counted."""


@pytest.fixture(autouse=True)
def measured_often(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(capacity_watch, "MEASURE_EVERY_SECONDS", 0.01)
    monkeypatch.setattr(capacity_watch, "READ_KEPT_EVERY_SECONDS", 0)


@pytest.fixture
def keyed(new_site: NewSite, clock: Clock) -> Site:
    return new_site(
        keys=KEYS,
        rows_per_minute=1_000,
        max_memory_percent_per_key=25,
        max_open_requests_per_key=2,
        retention_seconds=RETENTION,
    )


def measure() -> None:
    gevent.sleep(0.2)


def answer_once_measured(site: Site, status: int) -> TestResponse:
    """Posts until the answer has this status: what is kept is measured all the time."""
    with gevent.Timeout(60):
        while (answer := site.post(BODY, X_API_Key="a")).status_code != status:
            gevent.sleep(0.01)
    return answer


def end_jobs(site: Site, jobs: int, owner: str = "ann") -> list[str]:
    """Jobs of the owner that have been scored."""
    site.store.add([job([float(number)], owner=owner) for number in range(jobs)])
    claims = site.consumer.claim("child", "wake_up", jobs)
    site.consumer.record([scored(claim) for claim in claims])
    return [claim.id for claim in claims]


def kept(site: Site, owner: str = "ann") -> int:
    return UsageReader(site.redis).of_owners({owner: 0})[owner].kept.size


def retry_after(refused: TestResponse, status: int) -> int:
    problem(refused, status)
    return int(refused.headers["Retry-After"])


def test_a_key_whose_jobs_fill_its_share_is_429_until_they_expire(keyed: Site, clock: Clock) -> None:
    end_jobs(keyed, 100)
    keyed.redis.memory = {"used_memory": 0, "maxmemory": 4 * kept(keyed)}
    assert keyed.post(BODY, X_API_Key="a").status_code == 202
    refused = answer_once_measured(keyed, 429)
    assert RETENTION - 60 <= retry_after(refused, 429) <= RETENTION + 60
    assert "share of Redis" in refused.get_json()["detail"]
    assert keyed.post(BODY, X_API_Key="b").status_code == 202
    clock.forward(int(refused.headers["Retry-After"]) + 60)
    answer_once_measured(keyed, 202)


def test_a_key_whose_jobs_fill_its_share_may_delete_some(keyed: Site) -> None:
    ended = end_jobs(keyed, 100)
    keyed.redis.memory = {"used_memory": 0, "maxmemory": 4 * kept(keyed)}
    keyed.post(BODY, X_API_Key="a")
    answer_once_measured(keyed, 429)
    for job_id in ended[:2]:
        deleted = keyed.client.delete(f"/v1/predictions/{job_id}", headers={"X-API-Key": "a"})
        assert deleted.status_code == 204
    answer_once_measured(keyed, 202)


def test_jobs_that_have_ended_are_counted_until_they_are_deleted(keyed: Site) -> None:
    ended = end_jobs(keyed, 10)
    assert 10 * 500 < kept(keyed) < 10 * JOB_AND_OUTPUT
    assert kept(keyed, "bob") == 0
    for job_id in ended:
        keyed.store.delete(job_id)
    assert kept(keyed) == 0


def test_canceled_jobs_are_counted_too(keyed: Site) -> None:
    keyed.store.add([waiting := job(owner="ann")])
    assert kept(keyed) == 0
    keyed.store.cancel(waiting.id)
    assert kept(keyed) == 500


def test_what_has_expired_is_counted_no_longer(keyed: Site, clock: Clock) -> None:
    end_jobs(keyed, 10)
    clock.forward(RETENTION / 2)
    end_jobs(keyed, 5)
    clock.forward(RETENTION / 2 + 60)
    assert 5 * 500 < kept(keyed) < 5 * JOB_AND_OUTPUT
    clock.forward(RETENTION)
    assert kept(keyed) == 0
    assert not keyed.redis.exists("kept:ann")


def test_a_full_redis_says_when_enough_of_what_it_keeps_expires(keyed: Site, clock: Clock) -> None:
    end_jobs(keyed, 50)
    clock.forward(600)
    end_jobs(keyed, 50, owner="bob")
    keyed.redis.memory = {"used_memory": 90_000, "maxmemory": 100_000}
    measure()
    # 20,000 bytes too many: those of ann, which expire first, are enough.
    refused = keyed.post(BODY, X_API_Key="c")
    assert RETENTION - 660 <= retry_after(refused, 503) <= RETENTION - 540
    keyed.redis.memory = {"used_memory": 103_000, "maxmemory": 100_000}
    measure()
    # 33,000 bytes too many: some of bob's must expire too.
    assert RETENTION - 60 <= retry_after(keyed.post(BODY, X_API_Key="c"), 503) <= RETENTION + 60


def test_a_key_over_its_rate_is_refused_before_its_body_is_read(keyed: Site) -> None:
    rows: dict[str, Any] = {"inputs": [{"years": 1}] * 1_000}
    assert keyed.post(rows, X_API_Key="a").status_code == 202
    measure()
    assert 0 < retry_after(keyed.post(b"no JSON", X_API_Key="a"), 429) <= 42
    assert keyed.post(b"no JSON", X_API_Key="b").status_code == 400


def test_refused_requests_count_towards_the_rate_by_their_size(keyed: Site) -> None:
    assert keyed.post(b'{"inputs": {"years": "' + b"x" * 1_100_000 + b'"}}', X_API_Key="a").status_code == 422
    measure()
    assert retry_after(keyed.post(BODY, X_API_Key="a"), 429) <= 42
    assert keyed.post(BODY, X_API_Key="b").status_code == 202


def test_a_key_over_its_rate_may_still_read_cancel_and_delete(keyed: Site) -> None:
    rows: dict[str, Any] = {"inputs": [{"years": 1}] * 1_000}
    path = f"/v1/predictions/{keyed.post(rows, X_API_Key='a').get_json()['id']}"
    measure()
    key = {"X-API-Key": "a"}
    assert keyed.client.get(path, headers=key).status_code == 200
    assert keyed.client.post(f"{path}/cancel", headers=key).status_code == 200
    assert keyed.client.delete(path, headers=key).status_code == 204


def test_a_key_has_so_many_requests_under_way_and_others_are_not_refused(keyed: Site) -> None:
    callers = [keyed.started(keyed.post, BODY, X_API_Key="a", Prefer="wait=20") for _ in range(2)]
    refused = keyed.post(BODY, X_API_Key="a")
    assert retry_after(refused, 429) == 1
    assert "under way" in refused.get_json()["detail"]
    assert keyed.post(BODY, X_API_Key="b").status_code == 202
    keyed.work()
    assert [caller.get(timeout=5).status_code for caller in callers] == [200, 200]
    assert keyed.post(BODY, X_API_Key="a").status_code == 202


def test_without_keys_nothing_is_limited(new_site: NewSite) -> None:
    site = new_site()
    end_jobs(site, 100, owner="anonymous")
    site.redis.memory = {"used_memory": 0, "maxmemory": 1_000_000}
    site.post(BODY)
    measure()
    assert math.isfinite(site.web.watch.room)
    assert site.post(BODY).status_code == 202
