"""The steps of a batch, in turns with those of others: each counts once, and nothing follows its end."""

from jobs.batches.consumer import JOIN, PLAN, BatchConsumer
from jobs.batches.status import BATCH_TRANSITIONS, BatchStatus
from jobs.batches.store import BatchStore
from jobs.queues.idempotency import IdempotencyKey
from jobs.settings import Settings
from tests.unit.conftest import Clock
from tests.unit.jobs.batches.conftest import BELL, add, planned, read, score, take


def test_a_batch_is_planned_scored_chunk_by_chunk_and_joined(store: BatchStore, line: BatchConsumer) -> None:
    job_id = planned(store, line, chunks=3)
    assert read(store, job_id).status is BatchStatus.QUEUED
    for number in range(3):
        task = take(line)
        assert (task.task, task.chunk) == (str(number), f"{number}:0:0:10:5")
        assert read(store, job_id).status is BatchStatus.RUNNING
        score(line, task, failed=number)
    join = take(line)
    assert (join.task, read(store, job_id).status) == (JOIN, BatchStatus.FINALIZING)
    assert join.done == {0: (10, 0), 1: (10, 1), 2: (10, 2)}
    assert line.finish(join, BatchStatus.PARTIALLY_SUCCEEDED)
    record = read(store, job_id)
    assert (record.status, record.total, record.rows, record.failed) == ("partially_succeeded", 30, 30, 3)
    assert line.claim("child", BELL) is None


def test_batches_take_turns(store: BatchStore, line: BatchConsumer) -> None:
    long, short = add(store), add(store)
    turns = []
    for _ in range(10):
        task = take(line)
        turns.append(task.id)
        if task.task == PLAN:
            chunks = [f"{number}:0:0:10:5" for number in range(20 if task.id == long else 2)]
            line.planned(task, b"{}", 10, 5, chunks, most_wake_ups=1)
        elif task.task != JOIN:
            score(line, task)
    assert turns[:2] == [long, short]
    assert turns.count(short) == 4  # it is through, and the long one goes on


def test_a_chunk_that_is_done_twice_counts_once(store: BatchStore, line: BatchConsumer, clock: Clock) -> None:
    job_id = planned(store, line, chunks=2)
    slow = take(line, "slow")
    clock.forward(20)
    line.sweep(1)
    for _ in range(2):
        score(line, take(line, "quick"))
    score(line, slow)
    assert (read(store, job_id).rows, read(store, job_id).total) == (20, 20)
    assert take(line).task == JOIN


def test_a_running_batch_is_canceled_once_its_chunks_are_out_of_hands(
    store: BatchStore, line: BatchConsumer
) -> None:
    job_id = planned(store, line, chunks=9)
    first, second = take(line), take(line)
    score(line, first)
    assert store.cancel(job_id) is BatchStatus.CANCELING
    assert line.renew("child", BELL, second).status is BatchStatus.CANCELING
    line.release(second)
    join = take(line)
    assert (join.task, join.done) == (JOIN, {0: (10, 0)})
    line.finish(join, BatchStatus.SUCCEEDED)
    assert read(store, job_id).status is BatchStatus.CANCELED
    assert store.cancel(job_id) is BatchStatus.CANCELED


def test_nothing_follows_an_end(store: BatchStore, line: BatchConsumer) -> None:
    job_id = add(store)
    task = take(line)
    store.cancel(job_id)
    assert not line.finish(task, BatchStatus.FAILED)
    line.planned(task, b"{}", 1, 1, ["0:1"], most_wake_ups=1)
    assert read(store, job_id).status is BatchStatus.CANCELED
    assert line.claim("child", BELL) is None


def test_files_are_to_be_removed_when_a_batch_is_deleted_or_expires(
    store: BatchStore, line: BatchConsumer, clock: Clock, settings: Settings
) -> None:
    deleted, expired = add(store), add(store)
    store.cancel(deleted)
    store.cancel(expired)
    assert store.delete(deleted) is BatchStatus.CANCELED
    assert line.sweep(1).removable == [deleted]
    line.files_removed(deleted)
    clock.forward(settings.retention_seconds + 1)
    assert line.sweep(1).removable == [expired]
    assert store.read([expired]) == [None]


def test_a_key_is_claimed_then_stands_for_its_batch(store: BatchStore) -> None:
    once = IdempotencyKey.of("/v1/batches", "k", b"body")
    assert store.reserve_key("ada", once.key, "batch_1") is None
    assert store.reserve_key("ada", once.key, "batch_1") is None  # renewed
    assert store.reserve_key("ada", once.key, "batch_2") == ("", b"")
    assert store.reserve_key("bob", once.key, "batch_2") is None
    job_id = add(store, idempotency=once)
    assert store.reserve_key("ada", once.key, "batch_3") == (job_id, once.body)


def test_every_state_can_be_reached_and_left() -> None:
    reached = {BatchStatus.VALIDATING}.union(*BATCH_TRANSITIONS.values())
    assert reached == set(BatchStatus)
    assert {status for status in BatchStatus if status.ended} == {
        BatchStatus.SUCCEEDED,
        BatchStatus.PARTIALLY_SUCCEEDED,
        BatchStatus.FAILED,
        BatchStatus.CANCELED,
        BatchStatus.EXPIRED,
    }
