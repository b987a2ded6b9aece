"""How batches stand, as operators and children are told, and what is counted of them."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from redis import Redis

from jobs.batches.consumer import BatchConsumer
from jobs.batches.status import BatchStatus
from jobs.batches.store import BatchStore
from jobs.metrics import Metrics
from jobs.queues.capacity import BatchCapacity, Capacity
from tests.unit.conftest import Clock, living
from tests.unit.jobs.batches.conftest import ASKED, BELL, add, planned, score, take


def test_chunks_wait_in_the_line_or_before_it_until_they_are_claimed(
    store: BatchStore, line: BatchConsumer, clock: Clock, capacity: Callable[[], Capacity]
) -> None:
    def batches() -> BatchCapacity:
        return capacity().batches

    assert batches() == BatchCapacity()
    job_id = planned(store, line, chunks=9)
    assert batches()[:3] == (1, 9, 0)
    first, second = take(line), take(line)
    assert batches() == BatchCapacity(open=1, waiting=7, claimed=2)  # and nothing is next
    score(line, first)
    clock.forward(3)
    assert batches()[:3] == (1, 7, 1)
    assert batches().oldest_seconds == pytest.approx(3, abs=0.5)
    store.cancel(job_id)
    line.release(second)
    line.finish(take(line), BatchStatus.CANCELED)
    assert batches() == BatchCapacity()


def test_children_for_batches_say_how_fast_they_are(
    line: BatchConsumer, capacity: Callable[[], Capacity], clock: Clock
) -> None:
    for child in (living("host:1:2", pace=500), living("host:1:3", pace=70)):
        line.alive(child)
    now = capacity()
    assert (len(now.batches.children), now.batches.rows_per_second) == (2, 570)
    assert (now.children, now.rows_per_second) == ((), 0)
    clock.forward(6)
    assert capacity().batches.children == ()


def test_a_child_that_still_works_is_told_whether_predictions_are_scored_beside_it(
    store: BatchStore, line: BatchConsumer, redis: Redis, clock: Clock
) -> None:
    planned(store, line, chunks=1)
    task = take(line)
    assert not line.renew("child", BELL, task).beside_predictions
    redis.zadd("queue:predictions:wake_ups", {"answered": clock() * 1000 + 2_000})
    assert line.renew("child", BELL, task).beside_predictions
    clock.forward(3)
    assert not line.renew("child", BELL, task).beside_predictions


def test_what_happens_to_batches_is_counted_once(
    store: BatchStore, line: BatchConsumer, clock: Clock, redis: Redis
) -> None:
    planned(store, line, chunks=1)
    slow = take(line, "slow")
    clock.forward(20)
    line.sweep(1)
    for task in (take(line, "quick"), slow):
        score(line, task, failed=3)
    join = take(line)
    for _ in range(2):
        line.finish(join, BatchStatus.PARTIALLY_SUCCEEDED)
    store.cancel(add(store))
    store.cancel(add(store, asked=replace(ASKED, dry_run=True)))
    assert Metrics(redis).read() == {
        "batch_rows": {("salary@1", "succeeded"): 7, ("salary@1", "failed"): 3},
        "jobs_ended": {
            ("batches", "salary@1", "partially_succeeded"): 1,
            ("batches", "salary@1", "canceled"): 1,
            ("previews", "salary@1", "canceled"): 1,
        },
        "sweeps": {("batches",): 1},
        "swept": {("batches", "requeued"): 1},
    }
