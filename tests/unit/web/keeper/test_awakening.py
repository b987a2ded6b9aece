"""Callers of sleeping workers: the first wakes one, and all learn how long its start takes."""

from collections.abc import Callable
from typing import Any

import gevent
import pytest

from jobs.keeper.state import KeeperState
from jobs.keeper.store import KeeperStore, Sleep
from jobs.predictions.consumer import Outcome
from jobs.predictions.status import PredictionStatus
from tests.unit.conftest import MANY
from tests.unit.web.conftest import NewSite
from tests.unit.web.keeper.fakes import FakeServices
from tests.unit.web.site import CHILD, Site, problem
from web.keeper.need import Counts, ServiceCount

ROW = {"inputs": {"years": 2.5}}
Sleeping = Callable[..., tuple[Site, FakeServices]]


@pytest.fixture
def sleeping(new_site: NewSite) -> Sleeping:
    def make(spot: int | None = None, state: KeeperState = KeeperState(), **settings: Any) -> Any:  # noqa: B008
        services = FakeServices(spot=spot)
        if spot is not None:
            settings["worker_spot_service"] = "worker-spot"
        site = new_site(workers=services, worker_service="pay/worker", warm="never", **settings)
        memory = KeeperStore(site.redis)
        round_ = memory.begin()
        assert round_
        assert memory.finish(round_, Sleep(asleep=True, start_seconds=33), state._replace(sleeping=True))
        assert site.web.kept
        look(site)
        site.web.supervisor.start("waker", site.web.kept.waker.run)
        gevent.sleep(0)
        return site, services

    return make


def look(site: Site) -> None:
    """As each web process does every second."""
    site.web.watch.capacity = site.web.watch.awakening.refresh(site.monitor.capacity())


def settled() -> None:
    """The waker has done what it was to do."""
    for _ in range(20):
        gevent.sleep(0)


def test_the_first_post_asks_for_one_worker_and_the_next_for_none(sleeping: Sleeping) -> None:
    site, services = sleeping()
    for _ in range(3):
        site.post_years()
        settled()
    assert services.asked == [Counts(1, 0)]


def test_two_web_processes_ask_once(sleeping: Sleeping) -> None:
    site, services = sleeping()
    KeeperStore(site.redis).wake()  # the other was first
    site.post_years()
    settled()
    assert services.asked == []


def test_a_batch_wakes_them_too(sleeping: Sleeping) -> None:
    site, services = sleeping()
    posted = site.client.post("/v1/batches", data=b"years\n2.5\n", content_type="text/csv")
    assert posted.status_code == 202
    settled()
    assert services.asked == [Counts(1, 0)]


def test_a_dead_letter_that_is_replayed_wakes_them_when_web_looks_next(sleeping: Sleeping) -> None:
    site, services = sleeping()
    job_id = site.post_years()
    settled()
    [claim] = site.consumer.claim(CHILD, "wake-up", MANY)
    site.consumer.record([Outcome(claim, PredictionStatus.FAILED, error=b'{"type": "model_unavailable"}')])
    site.redis.hset("keeper", "asleep", "1")
    look(site)
    settled()
    assert services.asked == [Counts(1, 0)]
    services.found = services.found._replace(on_demand=ServiceCount(0, 0))
    site.store.retry(job_id)  # as `python -m ops dead replay` does
    look(site)
    settled()
    assert services.asked == [Counts(1, 0)] * 2


def test_a_request_that_is_refused_wakes_nobody(sleeping: Sleeping) -> None:
    site, services = sleeping()
    problem(site.post({"inputs": {"years": "many"}}), 422)
    settled()
    assert services.asked == []


def test_spot_is_woken_first_unless_it_was_short(sleeping: Sleeping) -> None:
    site, services = sleeping(spot=0)
    site.post_years()
    settled()
    short = KeeperState(spot_short_until=float("1e12"))
    other, its_services = sleeping(spot=0, state=short)
    other.post_years()
    settled()
    assert services.asked == [Counts(0, 1)]
    assert its_services.asked == [Counts(1, 0)]


def test_a_wake_that_ecs_refuses_is_left_to_the_keeper(sleeping: Sleeping) -> None:
    site, services = sleeping()
    services.failure = RuntimeError("throttled")
    site.post_years()
    settled()
    services.failure = None
    assert KeeperStore(site.redis).read().sleep.asleep is False
    assert services.asked == []


def test_retry_after_is_the_measured_start(sleeping: Sleeping) -> None:
    site, _ = sleeping()
    answer = site.post(ROW)
    assert answer.headers["Retry-After"] == "33"


def test_recms_says_when_to_come_back_and_the_wake_stays(
    sleeping: Sleeping, monkeypatch: pytest.MonkeyPatch
) -> None:
    site, services = sleeping()
    monkeypatch.setattr(site.web.watch.awakening, "longest_wait", 0.1)
    refused = site.client.post("/recms", json={"years": "2.5"})
    problem(refused, 503)
    assert int(refused.headers["Retry-After"]) == 33
    assert services.asked == [Counts(1, 0)]


def test_callers_may_wait_longer_while_a_worker_starts(sleeping: Sleeping) -> None:
    site, _ = sleeping(waking_wait_seconds=55)
    assert site.web.batches.longest_wait == 55
    site.hire()
    look(site)
    assert site.web.batches.longest_wait == 25
    assert site.post(ROW, Prefer="wait=55").headers["Preference-Applied"] == "wait=25"


def test_where_nobody_starts_workers_nothing_is_different(site: Site) -> None:
    assert site.web.kept is None
    assert site.web.batches.longest_wait == 25
    assert site.post(ROW).headers["Retry-After"] == "5"


def test_the_page_and_the_capacity_say_how_long_waking_takes(sleeping: Sleeping) -> None:
    site, _ = sleeping()
    assert site.client.get("/v1/capacity").get_json()["start_seconds"] == 33
    page = site.client.get("/service").text
    assert "No worker is up" in page
    assert "That takes about 33 s." in page
    site.post_years()
    settled()
    assert "The next should be up in about 33 s." in site.client.get("/service").text
