"""No task is lost with its worker, and a chunk that cannot be scored does not discard the others."""

import pytest
from redis import Redis

from jobs.batches.consumer import BatchConsumer
from jobs.batches.status import BatchStatus
from jobs.batches.store import BatchStore
from jobs.batches.tasks import JOIN, BatchTask
from jobs.queues.names import BATCHES
from tests.unit.conftest import Clock
from tests.unit.jobs.batches.conftest import WAKE_UP, add, done, plan, planned, read, score, take


def test_the_task_of_a_lost_consumer_is_claimed_by_another(
    store: BatchStore, consumer: BatchConsumer, clock: Clock
) -> None:
    planned(store, consumer, chunks=1)
    lost = take(consumer, "lost")
    assert consumer.claim("other", WAKE_UP) is None
    clock.forward(16)
    assert consumer.sweep(1).requeued == 1
    again = take(consumer, "other")
    assert (again.task, again.attempts) == (lost.task, 2)


def test_a_consumer_that_renews_its_lease_keeps_its_task(
    store: BatchStore, consumer: BatchConsumer, clock: Clock
) -> None:
    planned(store, consumer, chunks=1)
    task = take(consumer)
    for _ in range(3):
        clock.forward(10)
        assert consumer.renew("child", WAKE_UP, task).status is BatchStatus.RUNNING
        assert consumer.sweep(1).requeued == 0
    clock.forward(16)
    consumer.sweep(1)
    assert consumer.renew("child", WAKE_UP, task).status is None


def test_a_released_task_does_not_count_as_tried(store: BatchStore, consumer: BatchConsumer) -> None:
    planned(store, consumer, chunks=1)
    consumer.release(take(consumer))
    assert take(consumer).attempts == 1


def lose(consumer: BatchConsumer, clock: Clock, times: int) -> None:
    """So many consumers in a row claim the next task and are lost."""
    for _ in range(times):
        take(consumer, "lost")
        clock.forward(16)
        consumer.sweep(1)


def test_a_batch_whose_workers_are_all_lost_fails(
    store: BatchStore, consumer: BatchConsumer, clock: Clock
) -> None:
    job_id = planned(store, consumer, chunks=1)
    lose(consumer, clock, times=10 + 9)  # its chunk, then the joining of the parts
    record = read(store, job_id)
    assert (record.status, b"worker_lost" in (record.error or b"")) == ("failed", True)


def test_a_chunk_that_is_given_up_does_not_discard_the_others(
    store: BatchStore, consumer: BatchConsumer, clock: Clock
) -> None:
    job_id = planned(store, consumer, chunks=3)
    score(consumer, take(consumer))
    lose(consumer, clock, times=20)
    join = take(consumer)
    assert (join.task, join.done) == (JOIN, {0: done()})
    assert consumer.finish(join, BatchStatus.SUCCEEDED) is BatchStatus.FAILED
    assert b"worker_lost" in (read(store, job_id).error or b"")


@pytest.fixture
def slow(store: BatchStore, consumer: BatchConsumer, clock: Clock) -> BatchTask:
    """The plan of a batch in the hands of a slow consumer: another has planned the batch since."""
    add(store)
    task = take(consumer, "slow")
    clock.forward(16)
    consumer.sweep(1)
    plan(consumer, take(consumer, "quick"), chunks=2)
    return task


@pytest.mark.parametrize("status", [BatchStatus.QUEUED, BatchStatus.RUNNING, BatchStatus.CANCELING])
def test_a_stale_consumer_cannot_end_a_batch_that_another_has_planned(
    store: BatchStore, consumer: BatchConsumer, slow: BatchTask, status: BatchStatus
) -> None:
    if status is not BatchStatus.QUEUED:
        take(consumer)
    if status is BatchStatus.CANCELING:
        store.cancel(slow.id)
    assert consumer.finish(slow, BatchStatus.FAILED, b"{}") is None
    assert read(store, slow.id).status is status


def test_a_consumer_cannot_end_a_batch_that_a_stale_one_has_planned_meanwhile(
    store: BatchStore, consumer: BatchConsumer
) -> None:
    add(store)
    stale = take(consumer, "slow")
    consumer.release(stale)
    current = take(consumer, "quick")
    plan(consumer, stale, chunks=2)
    take(consumer)
    assert consumer.finish(current, BatchStatus.FAILED, b"{}") is None
    assert read(store, current.id).status is BatchStatus.RUNNING


def test_a_plan_whose_attempts_are_used_up_does_not_end_a_batch_that_is_planned(
    store: BatchStore, consumer: BatchConsumer, clock: Clock
) -> None:
    job_id = add(store)
    lose(consumer, clock, times=7)
    slow = take(consumer, "slow")
    clock.forward(16)
    consumer.sweep(1)
    assert take(consumer, "lost").attempts == 9
    plan(consumer, slow, chunks=1)
    clock.forward(16)
    assert consumer.sweep(1).given_up == 0
    assert read(store, job_id).status is BatchStatus.QUEUED


def test_a_task_that_is_released_after_its_batch_ended_leaves_nothing(
    store: BatchStore, consumer: BatchConsumer, redis: Redis
) -> None:
    job_id = add(store)
    task = take(consumer)
    store.cancel(job_id)
    consumer.release(task)
    assert redis.keys("job:*:*") == []
    assert redis.xlen(BATCHES.stream) == 0


@pytest.mark.parametrize(("last", "scored"), [(False, [0, 1, 3, 4, 5]), (True, [0, 1])])
def test_a_chunk_that_cannot_be_scored_fails_the_batch_once_the_others_are_done(
    store: BatchStore, consumer: BatchConsumer, last: bool, scored: list[int]
) -> None:
    job_id = planned(store, consumer, chunks=6)
    score(consumer, take(consumer))
    beside, broken = take(consumer), take(consumer)
    consumer.fail(broken, b'{"type":"no_table"}', last)
    consumer.fail(broken, b'{"type":"another"}', last)
    assert read(store, job_id).status is BatchStatus.RUNNING
    score(consumer, beside)
    while (task := take(consumer)).task != JOIN:
        score(consumer, task)
    assert sorted(task.done or ()) == scored
    consumer.finish(task, BatchStatus.SUCCEEDED)
    record = read(store, job_id)
    assert (record.status, record.error) == (BatchStatus.FAILED, b'{"type":"no_table"}')


def test_the_next_consumer_knows_the_slice_that_one_was_lost_with(
    store: BatchStore, consumer: BatchConsumer, clock: Clock
) -> None:
    planned(store, consumer, chunks=1)
    for tried, known in ((range(1024), ()), (range(32, 64), (range(1024),))):
        task = take(consumer)
        assert (task.lost, task.attempts) == (known, 1)
        consumer.note_slice(task, range(5))
        consumer.note_slice(task, tried)
        clock.forward(16)
        consumer.sweep(1)
    assert take(consumer).lost == (range(1024), range(32, 64))


def test_a_slice_that_was_scored_is_not_held_against_its_rows(
    store: BatchStore, consumer: BatchConsumer, clock: Clock
) -> None:
    planned(store, consumer, chunks=1)
    stale = take(consumer)
    consumer.note_slice(stale, range(5))
    consumer.note_slice(stale, None)
    clock.forward(16)
    consumer.sweep(1)
    current = take(consumer)
    assert (current.lost, current.attempts) == ((), 2)
    consumer.note_slice(stale, range(5))  # it was requeued
    consumer.note_slice(current, range(7))
    consumer.release(current)
    assert take(consumer).lost == ()
