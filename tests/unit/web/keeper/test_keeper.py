"""Rounds of the keeper over the real scripts: what it reads of Redis and ECS, and what it asks for."""

import json
import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest

from jobs.keeper.hours import WarmHours
from jobs.keeper.state import KeeperState, Totals
from jobs.keeper.store import KeeperStore
from jobs.logs import JsonLines
from jobs.metrics import CHUNK_SECONDS, MICROBATCH_ROWS, Metrics
from jobs.predictions.consumer import PredictionConsumer
from jobs.predictions.store import PredictionStore
from jobs.queues.capacity import BatchCapacity, Capacity, Memory, Monitor
from jobs.settings import Settings
from tests.unit.conftest import Clock, job, living
from tests.unit.in_memory import MemoryRedis
from tests.unit.web.keeper.fakes import FakeServices
from web.keeper.keeper import Keeper, LimitsByHour
from web.keeper.need import Counts, ServiceCount
from web.keeper.report import UNITS, MinuteReport, read_totals
from web.keeper.services import FoundServices

GetCapacity = Callable[[], Capacity]


class Kept:
    """A keeper, and what it works with."""

    def __init__(
        self, redis: MemoryRedis, clock: Clock, capacity: GetCapacity, least: int = 0, warm: str = "never"
    ) -> None:
        self.services = FakeServices()
        self.metrics = Metrics(redis)
        self.memory = KeeperStore(redis)
        self.clock = clock
        limits = LimitsByHour(least, 10, WarmHours(warm), within_seconds=120, idle_seconds=600)
        self.keeper = Keeper(
            self.memory,
            self.services,
            limits,
            capacity,
            lambda: read_totals(self.metrics),
            MinuteReport("paygrade", lambda: Memory(used=30, most=100), lambda: 1_000.5),
            clock.forward,
        )

    def round(self) -> None:
        self.keeper.tick()
        self.clock.forward(5)


@pytest.fixture
def kept(redis: MemoryRedis, clock: Clock, capacity: GetCapacity) -> Kept:
    return Kept(redis, clock, capacity)


def test_a_row_that_waits_for_nobody_gets_a_worker_in_the_next_round(
    kept: Kept, store: PredictionStore
) -> None:
    kept.round()
    assert kept.services.asked == []
    store.add([job()])
    kept.round()
    assert kept.services.asked == [Counts(1, 0)]
    kept.round()
    assert kept.services.asked == [Counts(1, 0)]  # it is on its way


def test_work_that_no_worker_takes_keeps_none_awake(
    redis: MemoryRedis, clock: Clock, store: PredictionStore
) -> None:
    """It was accepted before PAYGRADE_QUEUES changed."""
    store.add([job()])
    left = Monitor(redis, Settings(queues="batches")).capacity()
    assert (left.waiting, left.busy) == (1, False)
    kept = Kept(redis, clock, lambda: left)
    kept.round()
    assert kept.services.asked == []
    of_batches = Capacity(batches=BatchCapacity(open=1, waiting=1))
    assert of_batches.busy
    assert not of_batches._replace(served=frozenset({"predictions"})).busy


def test_explanations_count_by_their_own_pace(kept: Kept, store: PredictionStore) -> None:
    store.add([replace(job(*[[1.0]] * 1000), explained_values=1000) for _ in range(13)])
    kept.round()
    assert kept.services.asked == [Counts(3, 0)]  # 13,000 rows at 50 a second within 120 s


def test_warm_hours_are_those_of_the_clock_of_redis(
    redis: MemoryRedis, clock: Clock, capacity: GetCapacity
) -> None:
    kept = Kept(redis, clock, capacity, least=2, warm="always")
    kept.round()
    assert kept.services.asked == [Counts(2, 0)]


def test_what_ecs_refuses_is_asked_for_again_in_the_next_round(kept: Kept, store: PredictionStore) -> None:
    store.add([job()])
    kept.services.failure = RuntimeError("throttled")
    with pytest.raises(RuntimeError):
        kept.keeper.tick()
    kept.services.failure = None
    kept.round()
    assert kept.services.asked == []  # one round in five seconds
    kept.round()
    assert kept.services.asked == [Counts(1, 0)]


def test_the_start_is_measured_until_the_worker_lives(
    kept: Kept, store: PredictionStore, consumer: PredictionConsumer, clock: Clock
) -> None:
    kept.round()
    store.add([job()])
    for _ in range(6):
        kept.round()
    consumer.report_alive(living("host:1:2"))
    kept.round()
    _, sleep, _ = kept.memory.read()
    assert sleep.requested_at is None
    assert sleep.start_seconds == pytest.approx((40 + 30) / 2, abs=0.5)


def test_the_pace_of_chunks_is_learned_from_how_long_they_take(
    kept: Kept, consumer: PredictionConsumer
) -> None:
    kept.round()
    kept.metrics.observe(CHUNK_SECONDS, [2.0, 4.0], "salary@1")
    kept.metrics.observe(MICROBATCH_ROWS, [500.0], "salary@1")
    kept.metrics.flush()
    assert read_totals(kept.metrics) == Totals(rows=500, chunks=2, chunk_seconds=6)


def lines(caplog: pytest.LogCaptureFixture, event: str) -> list[dict[str, Any]]:
    formatted = (JsonLines().format(record) for record in caplog.records if record.msg == event)
    return [json.loads(line) for line in formatted]


def test_once_a_minute_the_keeper_says_what_it_sees(
    kept: Kept, store: PredictionStore, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    kept.round()
    store.add([job(), job()])
    kept.services.found = FoundServices(ServiceCount(desired=1, running=0), None)
    kept.metrics.observe(MICROBATCH_ROWS, [600.0], "salary@1")
    kept.metrics.flush()
    for _ in range(12):
        kept.round()
    first, second = lines(caplog, "workers")
    assert second | {"OldestSeconds": 0} == second | {
        "Deployment": "paygrade",
        "JobsWaiting": 2,
        "Workers": 0,
        "WorkersMissing": 1,
        "JobsWithoutWorker": 2,
        "KeeperRounds": 12,
        "RowsPerSecond": 10,
        "StoreMemoryPercent": 30,
        "OldestSeconds": 0,
    }
    [definition] = second["_aws"]["CloudWatchMetrics"]
    assert {metric["Name"] for metric in definition["Metrics"]} == set(UNITS)
    assert set(UNITS) <= set(second)
    assert definition["Dimensions"] == [["Deployment"]]
    assert second["_aws"]["Timestamp"] == 1_000_500
    assert first["KeeperRounds"] == 1


def test_a_state_of_another_version_is_no_reason_to_stop(kept: Kept, redis: MemoryRedis) -> None:
    redis.hset("keeper", "state", b"[9,{}]")
    kept.round()
    assert kept.memory.read().state.window_at > 0
    assert KeeperState.decode(b"[9,{}]") == KeeperState()
