"""What operators and consumers see of all batches, and what the metrics count."""

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
from tests.unit.jobs.batches.conftest import OPTIONS, WAKE_UP, add, planned, score, take


def test_chunks_count_as_waiting_in_the_queue_or_not_until_they_are_claimed(
    store: BatchStore, consumer: BatchConsumer, clock: Clock, capacity: Callable[[], Capacity]
) -> None:
    def batches() -> BatchCapacity:
        return capacity().batches

    assert batches() == BatchCapacity()
    job_id = planned(store, consumer, chunks=9)
    assert batches()[:3] == (1, 9, 0)
    first, second = take(consumer), take(consumer)
    assert batches() == BatchCapacity(open=1, waiting=7, claimed=2)  # nothing waits in the queue itself
    score(consumer, first)
    clock.forward(3)
    assert batches()[:3] == (1, 7, 1)
    assert batches().oldest_seconds == pytest.approx(3, abs=0.5)
    store.cancel(job_id)
    consumer.release(second)
    consumer.finish(take(consumer), BatchStatus.CANCELED)
    assert batches() == BatchCapacity()


def test_consumers_of_batches_report_their_pace(
    consumer: BatchConsumer, capacity: Callable[[], Capacity], clock: Clock
) -> None:
    for child in (living("host:1:2", pace=500), living("host:1:3", pace=70)):
        consumer.report_alive(child)
    now = capacity()
    assert (len(now.batches.children), now.batches.rows_per_second) == (2, 570)
    assert (now.children, now.rows_per_second) == ((), 0)
    clock.forward(6)
    assert capacity().batches.children == ()


def test_renewing_tells_whether_predictions_are_being_scored(
    store: BatchStore, consumer: BatchConsumer, redis: Redis, clock: Clock
) -> None:
    planned(store, consumer, chunks=1)
    task = take(consumer)
    assert not consumer.renew("child", WAKE_UP, task).beside_predictions
    redis.zadd("queue:predictions:wake_ups", {"answered": clock() * 1000 + 2_000})
    assert consumer.renew("child", WAKE_UP, task).beside_predictions
    clock.forward(3)
    assert not consumer.renew("child", WAKE_UP, task).beside_predictions


def test_metrics_count_each_event_of_a_batch_once(
    store: BatchStore, consumer: BatchConsumer, clock: Clock, redis: Redis
) -> None:
    planned(store, consumer, chunks=1)
    slow = take(consumer, "slow")
    clock.forward(20)
    consumer.sweep(1)
    for task in (take(consumer, "quick"), slow):
        score(consumer, task, failed=3)
    join = take(consumer)
    for _ in range(2):
        consumer.finish(join, BatchStatus.PARTIALLY_SUCCEEDED)
    store.cancel(add(store))
    store.cancel(add(store, options=replace(OPTIONS, dry_run=True)))
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
