"""How things stand, as the door and operators are told."""

import pytest

from jobs.predictions.consumer import PredictionConsumer
from jobs.predictions.store import PredictionStore
from jobs.queues.capacity import Capacity, Process
from tests.unit.conftest import MANY, Clock, job, jobs_of, living, scored


def test_nothing_stands_still_where_nothing_is(store: PredictionStore) -> None:
    assert store.capacity() == Capacity()


def test_what_waits_and_what_is_claimed_is_counted(
    store: PredictionStore, line: PredictionConsumer, clock: Clock
) -> None:
    store.add([job([1.0], [2.0], [3.0]), *jobs_of(1, 2)])
    claims = line.claim("child", "wake_up", 1)
    clock.forward(7)
    capacity = store.capacity()
    assert (capacity.waiting, capacity.rows, capacity.claimed) == (2, 2, 1)
    assert capacity.oldest_seconds == pytest.approx(7, abs=0.5)
    line.record([scored(claim) for claim in claims])
    assert store.capacity().claimed == 0


def test_a_job_whose_worker_was_lost_waits_again(
    store: PredictionStore, line: PredictionConsumer, clock: Clock
) -> None:
    store.add([job()])
    line.claim("lost", "wake_up", MANY)
    clock.forward(16)
    line.sweep(wake_ups=0)
    capacity = store.capacity()
    assert (capacity.waiting, capacity.rows, capacity.claimed) == (1, 1, 0)
    assert capacity.oldest_seconds == pytest.approx(16, abs=0.5)


def test_children_say_how_fast_they_are_until_they_are_dead(
    store: PredictionStore, line: PredictionConsumer, clock: Clock
) -> None:
    line.live(living("one:1:2", pace=1_000))
    line.live(living("one:1:3", pace=500))
    clock.forward(4)
    line.live(living("two:1:2", pace=100))
    capacity = store.capacity()
    assert (len(capacity.children), capacity.workers, capacity.rows_per_second) == (3, 2, 1_600)
    clock.forward(2)
    line.live(living("two:1:2", pace=200))
    assert store.capacity().children == (living("two:1:2", pace=200),)


@pytest.mark.parametrize(
    ("pace", "rows", "seconds"), [(1_000, 1, 1), (1_000, 2_500, 3), (10, 100_000, 60), (0, 10, 1)]
)
def test_when_to_ask_again_is_told_by_the_pace(pace: int, rows: int, seconds: int) -> None:
    assert Capacity(children=(Process("one:1:2", ""),), rows_per_second=pace).retry_after(rows) == seconds


def test_without_workers_nobody_can_tell(store: PredictionStore) -> None:
    assert store.capacity().seconds_for(10) is None
    assert store.capacity().retry_after(10) == 5
