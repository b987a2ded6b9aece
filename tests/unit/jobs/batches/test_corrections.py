"""A retry with corrected rows: they are sorted first, by one worker, and then its chunks are scored."""

from collections.abc import Callable
from dataclasses import replace

import pytest
from redis import Redis

from jobs.batches.consumer import BatchConsumer
from jobs.batches.status import BatchStatus
from jobs.batches.store import BatchStore
from jobs.batches.tasks import CORRECT, JOIN
from jobs.queues.capacity import BatchCapacity, Capacity
from tests.unit.conftest import Clock
from tests.unit.jobs.batches.conftest import OPTIONS, add, planned, read, score, take

CHUNKS = 3


@pytest.fixture
def retry(store: BatchStore, consumer: BatchConsumer) -> str:
    """The id of a retry of a batch of three chunks, with corrected rows."""
    old = planned(store, consumer, CHUNKS)
    for _ in range(CHUNKS):
        score(consumer, take(consumer), failed=1)
    consumer.finish(take(consumer), BatchStatus.PARTIALLY_SUCCEEDED)
    options = replace(OPTIONS, input_from=old, kept_from=old)
    return add(store, options, retry_of=old, reads=(old,), corrected=True)


def test_no_chunk_is_scored_before_the_corrected_rows_are_sorted(
    store: BatchStore, consumer: BatchConsumer, retry: str
) -> None:
    task = take(consumer)
    assert (task.id, task.task, task.chunks) == (retry, CORRECT, CHUNKS)
    assert {number: done.rows for number, done in task.done.items()} == {0: 10, 1: 10, 2: 10}
    assert consumer.claim("child", "wake_up") is None
    assert read(store, retry).status is BatchStatus.VALIDATING
    assert consumer.corrected(task)
    assert read(store, retry).status is BatchStatus.QUEUED
    for _ in range(CHUNKS):
        score(consumer, take(consumer))
    assert take(consumer).task == JOIN


def test_a_worker_that_lost_its_lease_sorts_for_nobody(
    store: BatchStore, consumer: BatchConsumer, retry: str, clock: Clock
) -> None:
    slow = take(consumer, "slow")
    clock.forward(20)
    consumer.sweep(1)
    quick = take(consumer, "quick")
    assert (quick.id, quick.task, quick.attempts) == (retry, CORRECT, 2)
    assert not consumer.corrected(slow)
    assert consumer.corrected(quick)
    assert not consumer.corrected(quick)


def test_a_line_that_is_wrong_ends_the_retry_and_leaves_nothing_waiting(
    store: BatchStore, consumer: BatchConsumer, retry: str, capacity: Callable[[], Capacity]
) -> None:
    assert consumer.finish(take(consumer), BatchStatus.FAILED, b"{}") is BatchStatus.FAILED
    assert capacity().batches == BatchCapacity()


def test_a_retry_that_is_canceled_meanwhile_stays_canceled(
    store: BatchStore, consumer: BatchConsumer, retry: str, redis: Redis, capacity: Callable[[], Capacity]
) -> None:
    task = take(consumer)
    assert store.cancel(retry) is BatchStatus.CANCELED
    assert not consumer.corrected(task)
    assert read(store, retry).status is BatchStatus.CANCELED
    assert capacity().batches == BatchCapacity()
