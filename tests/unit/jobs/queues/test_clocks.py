"""The clock of Redis may be set back or ahead by an hour: work goes on, and no live worker counts as lost."""

from collections.abc import Callable

import pytest
from redis import Redis

from jobs.batches.consumer import BatchConsumer
from jobs.batches.store import BatchStore
from jobs.predictions.consumer import PredictionConsumer
from jobs.predictions.status import PredictionStatus
from jobs.predictions.store import PredictionStore
from jobs.queues.capacity import Capacity, Monitor
from jobs.queues.processes import Process
from jobs.settings import Settings
from tests.unit.conftest import MANY, Clock, Read, job, jobs_of, living, scored
from tests.unit.jobs.batches.conftest import add, take

HOUR = 3600
steps = pytest.mark.parametrize("step", [-HOUR, HOUR], ids=["back", "ahead"])


@steps
def test_the_next_sweep_is_not_put_off(
    consumer: PredictionConsumer, clock: Clock, redis: Redis, step: int
) -> None:
    consumer.sweep(0)
    clock.forward(step)
    consumer.sweep(0)
    assert redis.hget("metrics", "sweeps|predictions") == b"2"


@steps
def test_a_batch_has_not_waited_longer_for_its_files(redis: Redis, clock: Clock, step: int) -> None:
    store, consumer = BatchStore(redis, Settings()), BatchConsumer(redis, Settings())
    add(store)
    waited = []
    for seconds in (0, 16, step, 16):
        clock.forward(seconds)
        consumer.sweep(0)
        clock.forward(16)
        consumer.sweep(0)
        waited.append(consumer.put_off(take(consumer), "files_unavailable").seconds)
    assert waited[0] == 0
    assert waited[-1] <= 3 * 60


@steps
def test_a_wake_up_that_was_out_is_sent_again(
    store: PredictionStore, consumer: PredictionConsumer, clock: Clock, step: int
) -> None:
    consumer.report_alive(living("anna"))
    assert len(store.add([job()])[1]) == 1
    clock.forward(step)
    consumer.report_alive(living("anna"))
    assert len(store.add([job()])[1]) == 1
    assert len(store.add([job()])[1]) == 0


@steps
def test_processes_of_before_are_dead_until_they_report(
    consumer: PredictionConsumer,
    redis: Redis,
    settings: Settings,
    clock: Clock,
    step: int,
    capacity: Callable[[], Capacity],
) -> None:
    monitor = Monitor(redis, settings)
    monitor.report_alive(Process("web:1", "0.1.0"))
    consumer.report_alive(living("host:1:2"))
    clock.forward(step)
    assert (capacity().children, capacity().webs) == ((), ())
    consumer.report_alive(living("host:1:3"))
    monitor.report_alive(Process("web:1", "0.1.0"))
    assert [child.name for child in capacity().children] == ["host:1:3"]
    assert set(redis.hkeys("processes")) == {b"queue:predictions:consumers host:1:3", b"web_processes web:1"}


@steps
def test_the_jobs_of_a_lost_worker_run_again_within_a_lease(
    store: PredictionStore, consumer: PredictionConsumer, clock: Clock, step: int
) -> None:
    store.add([job()])
    consumer.sweep(0)
    consumer.claim("lost", "wake_up", MANY)
    clock.forward(step)
    consumer.sweep(0)
    clock.forward(16)
    assert consumer.sweep(0).requeued == 1


@steps
def test_a_live_worker_is_not_counted_as_lost(
    store: PredictionStore, consumer: PredictionConsumer, clock: Clock, read: Read, step: int
) -> None:
    store.add([a_job := job()])
    consumer.sweep(0)
    [claim] = consumer.claim("alive", "wake_up", MANY)
    clock.forward(step)
    assert consumer.sweep(0).requeued == 0
    assert len(consumer.record([scored(claim)])) == 1
    assert read(a_job.id).attempt == 1


@steps
def test_the_task_of_a_lost_batch_worker_runs_again_within_a_lease(
    redis: Redis, settings: Settings, clock: Clock, step: int
) -> None:
    store, consumer = BatchStore(redis, settings), BatchConsumer(redis, settings)
    add(store)
    consumer.sweep(0)
    take(consumer)
    clock.forward(step)
    assert consumer.sweep(0).requeued == 0
    clock.forward(16)
    assert consumer.sweep(0).requeued == 1


def test_a_row_that_was_read_in_the_future_runs_again_within_a_lease(
    store: PredictionStore, consumer: PredictionConsumer, clock: Clock
) -> None:
    consumer.sweep(0)
    clock.forward(HOUR)
    store.add([job()])
    consumer.wait_and_claim("lost", "wake_up", MANY, alone=True, ms=1)
    clock.forward(2 - HOUR)  # no sweep has seen that it was ahead
    assert consumer.sweep(0).requeued == 0
    clock.forward(16)
    assert consumer.sweep(0).requeued == 1


@pytest.mark.parametrize("noted", ["", "99999999999999999999-0", "text"])
def test_behind_a_thousand_others_it_is_found_by_the_next_sweep(
    store: PredictionStore, consumer: PredictionConsumer, clock: Clock, redis: Redis, read: Read, noted: str
) -> None:
    if noted:  # Redis is not trusted
        redis.set("queue:predictions:looked_at", noted)
    consumer.sweep(0)
    store.add(jobs_of(*range(1_200)))
    while consumer.claim("alive", "wake_up", MANY):
        pass
    clock.forward(HOUR)
    store.add([a_job := job()])
    consumer.claim("lost", "wake_up", MANY)
    clock.forward(2 - HOUR)
    consumer.sweep(0)
    assert redis.exists("queue:predictions:looked_at")  # it has not looked at all of them
    for seconds in (2, 16, 2):
        assert read(a_job.id).status is PredictionStatus.RUNNING
        clock.forward(seconds)
        consumer.sweep(0)
    assert read(a_job.id).status is PredictionStatus.QUEUED
    assert not redis.exists("queue:predictions:looked_at")


def test_a_task_that_was_put_off_in_the_future_runs_again_within_a_lease(
    redis: Redis, settings: Settings, clock: Clock
) -> None:
    store, consumer = BatchStore(redis, settings), BatchConsumer(redis, settings)
    add(store)
    consumer.sweep(0)
    clock.forward(HOUR)
    consumer.put_off(take(consumer), "files_unavailable")
    clock.forward(2 - HOUR)
    assert consumer.sweep(0).requeued == 0
    clock.forward(16)
    assert consumer.sweep(0).requeued == 1


def test_a_worker_that_sweeps_after_a_short_break_requeues_at_once(
    store: PredictionStore, consumer: PredictionConsumer, clock: Clock
) -> None:
    store.add([job()])
    consumer.sweep(0)
    consumer.claim("lost", "wake_up", MANY)
    clock.forward(120)
    assert consumer.sweep(0).requeued == 1
