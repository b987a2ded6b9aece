"""Tasks of batches: shared out in turns, done twice without harm, and never lost with a worker."""

from dataclasses import replace
from typing import Any

import pytest
from redis import Redis

from jobs import ids
from jobs.batch_line import JOIN, PLAN, BatchLine, Done, Task
from jobs.batch_status import BATCH_FOLLOWING, BatchStatus
from jobs.batch_store import BatchStore
from jobs.batches import Asked, BatchRecord, NewBatch
from jobs.capacity import BatchCapacity
from jobs.metrics import Metrics
from jobs.names import BATCH_LINE, BELLS, GROUP
from jobs.record import Once
from jobs.settings import Settings
from jobs.store import Store
from jobs.tables import Format
from tests.unit.conftest import SHA, Clock, living

ASKED = Asked(Format.CSV, Format.CSV)
BELL = "bell"


@pytest.fixture
def line(redis: Redis, settings: Settings) -> BatchLine:
    redis.xgroup_create(BATCH_LINE, GROUP, id="0", mkstream=True)
    return BatchLine(redis, settings)


@pytest.fixture
def store(redis: Redis, settings: Settings) -> BatchStore:
    return BatchStore(redis, settings)


@pytest.fixture
def predictions(redis: Redis, settings: Settings) -> Store:
    return Store(redis, settings)


def add(store: BatchStore, asked: Asked = ASKED, **more: Any) -> str:
    job_id = ids.new_id(ids.BATCH)
    store.add(NewBatch(job_id, "salary@1", SHA, "ada", asked, size=100, **more))
    return job_id


def planned(store: BatchStore, line: BatchLine, chunks: int) -> str:
    """A batch of so many chunks that is ready to be scored."""
    job_id = add(store)
    task = take(line)
    assert (task.id, task.task) == (job_id, PLAN)
    line.planned(
        task, b"{}", 10 * chunks, 5 * chunks, [f"{number}:0:0:10:5" for number in range(chunks)], bells=1
    )
    return job_id


def take(line: BatchLine, child: str = "child") -> Task:
    task = line.take(child, BELL)
    assert task
    return task


def score(line: BatchLine, task: Task, failed: int = 0) -> None:
    line.done(task, Done(rows=10, failed=failed, size=5, expected=10), bells=1)


def done_of(line: BatchLine, task: Task) -> dict[int, tuple[int, int]] | None:
    parts = line.parts(task)
    return parts and parts.done


def lose(line: BatchLine, clock: Clock, times: int) -> None:
    """So many children take the next task, and are lost with it."""
    for _ in range(times):
        take(line, "lost")
        clock.forward(16)
        line.sweep(1)


def read(store: BatchStore, job_id: str) -> BatchRecord:
    [record] = store.read([job_id])
    assert isinstance(record, BatchRecord)
    return record


def test_a_batch_is_planned_scored_chunk_by_chunk_and_joined(store: BatchStore, line: BatchLine) -> None:
    job_id = planned(store, line, chunks=3)
    assert read(store, job_id).status is BatchStatus.QUEUED
    for number in range(3):
        task = take(line)
        assert (task.task, task.chunk) == (str(number), f"{number}:0:0:10:5")
        assert read(store, job_id).status is BatchStatus.RUNNING
        score(line, task, failed=number)
    join = take(line)
    assert (join.task, read(store, job_id).status) == (JOIN, BatchStatus.FINALIZING)
    assert done_of(line, join) == {0: (10, 0), 1: (10, 1), 2: (10, 2)}
    assert line.finish(join, BatchStatus.PARTIALLY_SUCCEEDED)
    assert line.parts(join) is None
    record = read(store, job_id)
    assert (record.status, record.total, record.rows, record.failed) == ("partially_succeeded", 30, 30, 3)
    assert line.take("child", BELL) is None


def test_batches_take_turns(store: BatchStore, line: BatchLine) -> None:
    long, short = add(store), add(store)
    turns = []
    for _ in range(10):
        task = take(line)
        turns.append(task.id)
        if task.task == PLAN:
            chunks = [f"{number}:0:0:10:5" for number in range(20 if task.id == long else 2)]
            line.planned(task, b"{}", 10, 5, chunks, bells=1)
        elif task.task != JOIN:
            score(line, task)
    assert turns[:2] == [long, short]
    assert turns.count(short) == 4  # it is through, and the long one goes on


def test_a_chunk_that_is_done_twice_counts_once(store: BatchStore, line: BatchLine, clock: Clock) -> None:
    job_id = planned(store, line, chunks=2)
    slow = take(line, "slow")
    clock.forward(20)
    line.sweep(1)
    for _ in range(2):
        score(line, take(line, "quick"))
    score(line, slow)
    assert (read(store, job_id).rows, read(store, job_id).total) == (20, 20)
    assert take(line).task == JOIN


def test_what_happens_to_batches_is_counted_once(
    store: BatchStore, line: BatchLine, clock: Clock, redis: Redis
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
    store.cancel(add(store, asked=replace(ASKED, dry_run=True)))  # which is no batch
    assert Metrics(redis).read() == {
        "batch_rows": {("salary@1", "succeeded"): 7, ("salary@1", "failed"): 3},
        "batches_ended": {("salary@1", "partially_succeeded"): 1, ("salary@1", "canceled"): 1},
        "batch_sweeps": {(): 1},
        "batch_swept": {("taken_back",): 1},
    }


def test_chunks_wait_in_the_line_or_before_it_until_they_are_claimed(
    store: BatchStore, line: BatchLine, clock: Clock, predictions: Store
) -> None:
    def batches() -> BatchCapacity:
        return predictions.capacity().batches

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
    line.give_back(second)
    line.finish(take(line), BatchStatus.CANCELED)
    assert batches() == BatchCapacity()


def test_children_for_batches_say_how_fast_they_are(
    line: BatchLine, predictions: Store, clock: Clock
) -> None:
    for child in (living("host:1:2", pace=500), living("host:1:3", pace=70)):
        line.live(child)
    capacity = predictions.capacity()
    assert (len(capacity.batches.children), capacity.batches.rows_per_second) == (2, 570)
    assert (capacity.children, capacity.rows_per_second) == ((), 0)
    clock.forward(6)
    assert predictions.capacity().batches.children == ()


def test_the_task_of_a_lost_child_is_taken_by_another(
    store: BatchStore, line: BatchLine, clock: Clock
) -> None:
    planned(store, line, chunks=1)
    lost = take(line, "lost")
    assert line.take("other", BELL) is None
    clock.forward(16)
    assert line.sweep(1).taken_back == 1
    again = take(line, "other")
    assert (again.task, again.tries) == (lost.task, 2)


def test_a_child_that_still_works_is_told_whether_predictions_are_scored_beside_it(
    store: BatchStore, line: BatchLine, redis: Redis, clock: Clock
) -> None:
    planned(store, line, chunks=1)
    task = take(line)
    assert not line.renew("child", BELL, task).beside_predictions
    redis.zadd(BELLS, {"answered": clock() * 1000 + 2_000})
    assert line.renew("child", BELL, task).beside_predictions
    clock.forward(3)
    assert not line.renew("child", BELL, task).beside_predictions


def test_a_child_that_still_works_keeps_its_task(store: BatchStore, line: BatchLine, clock: Clock) -> None:
    planned(store, line, chunks=1)
    task = take(line)
    for _ in range(3):
        clock.forward(10)
        assert line.renew("child", BELL, task).status is BatchStatus.RUNNING
        assert line.sweep(1).taken_back == 0
    clock.forward(16)
    line.sweep(1)
    assert line.renew("child", BELL, task).status is None


def test_a_batch_whose_workers_are_all_lost_ends(store: BatchStore, line: BatchLine, clock: Clock) -> None:
    job_id = planned(store, line, chunks=1)
    lose(line, clock, times=10 + 9)  # its chunk, and then what joins the chunks
    record = read(store, job_id)
    assert (record.status, b"worker_lost" in (record.error or b"")) == ("failed", True)


def test_a_chunk_that_is_given_up_leaves_the_others(store: BatchStore, line: BatchLine, clock: Clock) -> None:
    job_id = planned(store, line, chunks=3)
    score(line, take(line))
    lose(line, clock, times=20)
    join = take(line)
    assert (join.task, done_of(line, join)) == (JOIN, {0: (10, 0)})
    assert line.finish(join, BatchStatus.SUCCEEDED) is BatchStatus.FAILED
    assert b"worker_lost" in (read(store, job_id).error or b"")


@pytest.mark.parametrize(("last", "scored"), [(False, [0, 1, 3, 4, 5]), (True, [0, 1])])
def test_a_chunk_that_cannot_be_scored_fails_the_batch_once_the_others_are_done(
    store: BatchStore, line: BatchLine, last: bool, scored: list[int]
) -> None:
    job_id = planned(store, line, chunks=6)
    score(line, take(line))
    beside, broken = take(line), take(line)
    line.fail(broken, b'{"type":"no_table"}', last, bells=1)
    line.fail(broken, b'{"type":"another"}', last, bells=1)
    assert read(store, job_id).status is BatchStatus.RUNNING
    score(line, beside)
    while (task := take(line)).task != JOIN:
        score(line, task)
    assert sorted(done_of(line, task) or ()) == scored
    line.finish(task, BatchStatus.SUCCEEDED)
    record = read(store, job_id)
    assert (record.status, record.error) == (BatchStatus.FAILED, b'{"type":"no_table"}')


def test_a_slice_that_a_child_is_lost_with_is_known_to_the_next(
    store: BatchStore, line: BatchLine, clock: Clock
) -> None:
    planned(store, line, chunks=1)
    for tried, known in ((range(1024), ()), (range(32, 64), (range(1024),))):
        task = take(line)
        assert (task.lost, task.tries) == (known, 1)
        line.try_slice(task, range(5))
        line.try_slice(task, tried)
        clock.forward(16)
        line.sweep(1)
    assert take(line).lost == (range(1024), range(32, 64))


def test_a_slice_that_is_through_is_not_held_against_its_rows(
    store: BatchStore, line: BatchLine, clock: Clock
) -> None:
    planned(store, line, chunks=1)
    outdated = take(line)
    line.try_slice(outdated, range(5))
    line.try_slice(outdated, None)
    clock.forward(16)
    line.sweep(1)
    current = take(line)
    assert (current.lost, current.tries) == ((), 2)
    line.try_slice(outdated, range(5))  # it is too late
    line.try_slice(current, range(7))
    line.give_back(current)
    assert take(line).lost == ()


def test_what_a_worker_gives_back_does_not_count_as_tried(store: BatchStore, line: BatchLine) -> None:
    planned(store, line, chunks=1)
    line.give_back(take(line))
    assert take(line).tries == 1


def test_a_running_batch_is_canceled_once_its_chunks_are_out_of_hands(
    store: BatchStore, line: BatchLine
) -> None:
    job_id = planned(store, line, chunks=9)
    first, second = take(line), take(line)
    score(line, first)
    assert store.cancel(job_id) is BatchStatus.CANCELING
    assert line.renew("child", BELL, second).status is BatchStatus.CANCELING
    line.give_back(second)
    join = take(line)
    assert (join.task, done_of(line, join)) == (JOIN, {0: (10, 0)})
    line.finish(join, BatchStatus.SUCCEEDED)
    assert read(store, job_id).status is BatchStatus.CANCELED
    assert store.cancel(job_id) is BatchStatus.CANCELED


def test_nothing_follows_an_end(store: BatchStore, line: BatchLine) -> None:
    job_id = add(store)
    task = take(line)
    store.cancel(job_id)
    assert not line.finish(task, BatchStatus.FAILED)
    line.planned(task, b"{}", 1, 1, ["0:1"], bells=1)
    assert read(store, job_id).status is BatchStatus.CANCELED
    assert line.take("child", BELL) is None


def test_files_are_to_be_removed_when_a_batch_is_deleted_or_expires(
    store: BatchStore, line: BatchLine, clock: Clock, settings: Settings
) -> None:
    deleted, expired = add(store), add(store)
    store.cancel(deleted)
    store.cancel(expired)
    assert store.delete(deleted) is BatchStatus.CANCELED
    assert line.sweep(1).removable == [deleted]
    line.removed(deleted)
    clock.forward(settings.retention_seconds + 1)
    assert line.sweep(1).removable == [expired]
    assert store.read([expired]) == [None]


def test_a_key_is_claimed_then_stands_for_its_batch(store: BatchStore) -> None:
    once = Once.of("/v1/batches", "k", b"body")
    assert store.claim_key("ada", once.key, "batch_1") is None
    assert store.claim_key("ada", once.key, "batch_1") is None  # renewed
    assert store.claim_key("ada", once.key, "batch_2") == ("", b"")
    assert store.claim_key("bob", once.key, "batch_2") is None
    job_id = add(store, once=once)
    assert store.claim_key("ada", once.key, "batch_3") == (job_id, once.body)


def test_every_state_can_be_reached_and_left() -> None:
    reached = {BatchStatus.VALIDATING}.union(*BATCH_FOLLOWING.values())
    assert reached == set(BatchStatus)
    assert {status for status in BatchStatus if status.ended} == {
        BatchStatus.SUCCEEDED,
        BatchStatus.PARTIALLY_SUCCEEDED,
        BatchStatus.FAILED,
        BatchStatus.CANCELED,
        BatchStatus.EXPIRED,
    }
