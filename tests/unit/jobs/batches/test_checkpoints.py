"""The tasks of a batch take turns with those of others; each counts once, and nothing follows the end."""

import pytest

from jobs import ids
from jobs.batches.consumer import BatchConsumer
from jobs.batches.record import NewBatch
from jobs.batches.status import BatchStatus
from jobs.batches.store import BatchStore
from jobs.batches.tasks import JOIN, PLAN
from jobs.errors import StoreRefuses
from jobs.queues.idempotency import IdempotencyKey
from jobs.settings import Settings
from tests.unit.conftest import SHA, Clock
from tests.unit.jobs.batches.conftest import (
    OPTIONS,
    WAKE_UP,
    add,
    checkpoint,
    done,
    plan,
    planned,
    read,
    score,
    take,
)


def test_a_batch_is_planned_scored_chunk_by_chunk_and_joined(
    store: BatchStore, consumer: BatchConsumer
) -> None:
    job_id = planned(store, consumer, chunks=3)
    assert read(store, job_id).status is BatchStatus.QUEUED
    for number in range(3):
        task = take(consumer)
        assert (task.task, task.chunk) == (str(number), f"{number}:0:0:10:5")
        assert read(store, job_id).status is BatchStatus.RUNNING
        score(consumer, task, failed=number)
    join = take(consumer)
    assert (join.task, read(store, job_id).status) == (JOIN, BatchStatus.FINALIZING)
    assert join.done == {number: done(failed=number) for number in range(3)}
    assert consumer.finish(join, BatchStatus.PARTIALLY_SUCCEEDED)
    record = read(store, job_id)
    assert (record.status, record.total, record.rows, record.failed) == ("partially_succeeded", 30, 30, 3)
    assert consumer.claim("child", WAKE_UP) is None


def test_batches_take_turns(store: BatchStore, consumer: BatchConsumer) -> None:
    long, short = add(store), add(store)
    turns = []
    for _ in range(10):
        task = take(consumer)
        turns.append(task.id)
        if task.task == PLAN:
            plan(consumer, task, chunks=20 if task.id == long else 2)
        elif task.task != JOIN:
            score(consumer, task)
    assert turns[:2] == [long, short]
    assert turns.count(short) == 4  # all its tasks are done while the long one goes on


def test_a_step_from_an_outdated_position_leaves_the_plan_to_whoever_claims_it_next(
    store: BatchStore, consumer: BatchConsumer
) -> None:
    add(store)
    task = take(consumer)
    consumer.planned(task, checkpoint(1, over="", position="7"))
    score(consumer, take(consumer))
    assert not consumer.planned(task, checkpoint(3, over="slot", position="9"))
    again = take(consumer)
    assert (again.task, again.chunks, again.planning) == (PLAN, 1, "7")


def test_a_chunk_that_is_done_twice_counts_once(
    store: BatchStore, consumer: BatchConsumer, clock: Clock
) -> None:
    job_id = planned(store, consumer, chunks=2)
    slow = take(consumer, "slow")
    clock.forward(20)
    consumer.sweep(1)
    for _ in range(2):
        score(consumer, take(consumer, "quick"))
    score(consumer, slow)
    assert (read(store, job_id).rows, read(store, job_id).total) == (20, 20)
    assert take(consumer).task == JOIN


def test_a_running_batch_is_canceled_once_no_consumer_holds_a_chunk(
    store: BatchStore, consumer: BatchConsumer
) -> None:
    job_id = planned(store, consumer, chunks=9)
    first, second = take(consumer), take(consumer)
    score(consumer, first)
    assert store.cancel(job_id) is BatchStatus.CANCELING
    assert consumer.renew("child", WAKE_UP, second).status is BatchStatus.CANCELING
    consumer.release(second)
    join = take(consumer)
    assert (join.task, join.done) == (JOIN, {0: done()})
    consumer.finish(join, BatchStatus.SUCCEEDED)
    assert read(store, job_id).status is BatchStatus.CANCELED
    assert store.cancel(job_id) is BatchStatus.CANCELED


def test_nothing_changes_an_ended_batch(store: BatchStore, consumer: BatchConsumer) -> None:
    job_id = add(store)
    task = take(consumer)
    store.cancel(job_id)
    assert not consumer.finish(task, BatchStatus.FAILED)
    plan(consumer, task, chunks=1)
    assert read(store, job_id).status is BatchStatus.CANCELED
    assert consumer.claim("child", WAKE_UP) is None


def test_files_are_removable_once_a_batch_is_deleted_or_expires(
    store: BatchStore, consumer: BatchConsumer, clock: Clock, settings: Settings
) -> None:
    deleted, expired = add(store), add(store)
    store.cancel(deleted)
    store.cancel(expired)
    assert store.delete(deleted) is BatchStatus.CANCELED
    assert consumer.sweep(1).removable == [f"{deleted} ada".encode()]
    consumer.files_removed(f"{deleted} ada".encode())
    clock.forward(settings.retention_seconds + 1)
    assert consumer.sweep(1).removable == [f"{expired} ada".encode()]
    assert store.read([expired]) == [None]


def test_a_key_is_reserved_and_then_stands_for_its_batch(store: BatchStore) -> None:
    key = IdempotencyKey.of("/v1/batches", "k", b"body")
    assert store.reserve_key("ada", key.key, "batch_1") is None
    assert store.reserve_key("ada", key.key, "batch_1") is None  # renewed
    assert store.reserve_key("ada", key.key, "batch_2") == ("", b"")
    assert store.reserve_key("bob", key.key, "batch_2") is None
    job_id = ids.new_id(ids.BATCH)
    batch = NewBatch(job_id, "salary@1", SHA, "ada", OPTIONS, size=100, idempotency=key)
    with pytest.raises(StoreRefuses):
        store.add(batch)  # another upload holds the key
    store.release_key("ada", key.key, "batch_1")
    store.reserve_key("ada", key.key, job_id)
    store.add(batch)
    assert store.reserve_key("ada", key.key, "batch_3") == (job_id, key.body)
