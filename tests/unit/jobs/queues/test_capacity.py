"""The state of the service, as admission and operators see it."""

from collections.abc import Callable

import pytest

from jobs.predictions.consumer import PredictionConsumer
from jobs.predictions.resource import retry_after, seconds_for
from jobs.predictions.store import PredictionStore
from jobs.queues.capacity import Capacity
from jobs.queues.processes import Process
from tests.unit.conftest import MANY, Clock, job, jobs_of, living, scored

GetCapacity = Callable[[], Capacity]


def test_an_idle_service_has_nothing_waiting(capacity: GetCapacity) -> None:
    assert capacity() == Capacity()


def test_waiting_and_claimed_jobs_are_counted(
    store: PredictionStore, consumer: PredictionConsumer, clock: Clock, capacity: GetCapacity
) -> None:
    store.add([job([1.0], [2.0], [3.0]), *jobs_of(1, 2)])
    claims = consumer.claim("child", "wake_up", 1)
    clock.forward(7)
    now = capacity()
    assert (now.waiting, now.rows, now.claimed) == (2, 2, 1)
    assert now.oldest_seconds == pytest.approx(7, abs=0.5)
    consumer.record([scored(claim) for claim in claims])
    assert capacity().claimed == 0


def test_a_job_whose_worker_was_lost_waits_again(
    store: PredictionStore, consumer: PredictionConsumer, clock: Clock, capacity: GetCapacity
) -> None:
    store.add([job()])
    consumer.claim("lost", "wake_up", MANY)
    clock.forward(16)
    consumer.sweep(most_wake_ups=0)
    now = capacity()
    assert (now.waiting, now.rows, now.claimed) == (1, 1, 0)
    assert now.oldest_seconds == pytest.approx(16, abs=0.5)


def test_the_pace_of_a_consumer_counts_until_it_lapses(
    store: PredictionStore, consumer: PredictionConsumer, clock: Clock, capacity: GetCapacity
) -> None:
    consumer.report_alive(living("one:1:2", pace=1_000))
    consumer.report_alive(living("one:1:3", pace=500))
    clock.forward(4)
    consumer.report_alive(living("two:1:2", pace=100))
    now = capacity()
    assert (len(now.children), now.workers, now.rows_per_second) == (3, 2, 1_600)
    clock.forward(2)
    consumer.report_alive(living("two:1:2", pace=200))
    assert capacity().children == (living("two:1:2", pace=200),)


@pytest.mark.parametrize(
    ("pace", "rows", "seconds"), [(1_000, 1, 1), (1_000, 2_500, 3), (10, 100_000, 60), (0, 10, 1)]
)
def test_retry_after_follows_the_pace(pace: int, rows: int, seconds: int) -> None:
    assert retry_after(Capacity(children=(Process("one:1:2", ""),), rows_per_second=pace), rows) == seconds


def test_without_workers_the_time_is_unknown(capacity: GetCapacity) -> None:
    assert seconds_for(capacity(), 10) is None
    assert retry_after(capacity(), 10) == 5
