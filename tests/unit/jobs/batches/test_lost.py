"""Tasks are never lost with a child, and a chunk that nobody can score leaves the others theirs."""

import pytest

from jobs.batches.consumer import JOIN, BatchConsumer
from jobs.batches.status import BatchStatus
from jobs.batches.store import BatchStore
from tests.unit.conftest import Clock
from tests.unit.jobs.batches.conftest import BELL, planned, read, score, take


def test_the_task_of_a_lost_child_is_taken_by_another(
    store: BatchStore, line: BatchConsumer, clock: Clock
) -> None:
    planned(store, line, chunks=1)
    lost = take(line, "lost")
    assert line.claim("other", BELL) is None
    clock.forward(16)
    assert line.sweep(1).requeued == 1
    again = take(line, "other")
    assert (again.task, again.tries) == (lost.task, 2)


def test_a_child_that_still_works_keeps_its_task(
    store: BatchStore, line: BatchConsumer, clock: Clock
) -> None:
    planned(store, line, chunks=1)
    task = take(line)
    for _ in range(3):
        clock.forward(10)
        assert line.renew("child", BELL, task).status is BatchStatus.RUNNING
        assert line.sweep(1).requeued == 0
    clock.forward(16)
    line.sweep(1)
    assert line.renew("child", BELL, task).status is None


def test_what_a_worker_gives_back_does_not_count_as_tried(store: BatchStore, line: BatchConsumer) -> None:
    planned(store, line, chunks=1)
    line.release(take(line))
    assert take(line).tries == 1


def lose(line: BatchConsumer, clock: Clock, times: int) -> None:
    """So many children take the next task, and are lost with it."""
    for _ in range(times):
        take(line, "lost")
        clock.forward(16)
        line.sweep(1)


def test_a_batch_whose_workers_are_all_lost_ends(
    store: BatchStore, line: BatchConsumer, clock: Clock
) -> None:
    job_id = planned(store, line, chunks=1)
    lose(line, clock, times=10 + 9)  # its chunk, and then what joins the chunks
    record = read(store, job_id)
    assert (record.status, b"worker_lost" in (record.error or b"")) == ("failed", True)


def test_a_chunk_that_is_given_up_leaves_the_others(
    store: BatchStore, line: BatchConsumer, clock: Clock
) -> None:
    job_id = planned(store, line, chunks=3)
    score(line, take(line))
    lose(line, clock, times=20)
    join = take(line)
    assert (join.task, join.done) == (JOIN, {0: (10, 0)})
    assert line.finish(join, BatchStatus.SUCCEEDED) is BatchStatus.FAILED
    assert b"worker_lost" in (read(store, job_id).error or b"")


@pytest.mark.parametrize(("last", "scored"), [(False, [0, 1, 3, 4, 5]), (True, [0, 1])])
def test_a_chunk_that_cannot_be_scored_fails_the_batch_once_the_others_are_done(
    store: BatchStore, line: BatchConsumer, last: bool, scored: list[int]
) -> None:
    job_id = planned(store, line, chunks=6)
    score(line, take(line))
    beside, broken = take(line), take(line)
    line.fail(broken, b'{"type":"no_table"}', last, most_wake_ups=1)
    line.fail(broken, b'{"type":"another"}', last, most_wake_ups=1)
    assert read(store, job_id).status is BatchStatus.RUNNING
    score(line, beside)
    while (task := take(line)).task != JOIN:
        score(line, task)
    assert sorted(task.done or ()) == scored
    line.finish(task, BatchStatus.SUCCEEDED)
    record = read(store, job_id)
    assert (record.status, record.error) == (BatchStatus.FAILED, b'{"type":"no_table"}')


def test_a_slice_that_a_child_is_lost_with_is_known_to_the_next(
    store: BatchStore, line: BatchConsumer, clock: Clock
) -> None:
    planned(store, line, chunks=1)
    for tried, known in ((range(1024), ()), (range(32, 64), (range(1024),))):
        task = take(line)
        assert (task.lost, task.tries) == (known, 1)
        line.note_slice(task, range(5))
        line.note_slice(task, tried)
        clock.forward(16)
        line.sweep(1)
    assert take(line).lost == (range(1024), range(32, 64))


def test_a_slice_that_is_through_is_not_held_against_its_rows(
    store: BatchStore, line: BatchConsumer, clock: Clock
) -> None:
    planned(store, line, chunks=1)
    outdated = take(line)
    line.note_slice(outdated, range(5))
    line.note_slice(outdated, None)
    clock.forward(16)
    line.sweep(1)
    current = take(line)
    assert (current.lost, current.tries) == ((), 2)
    line.note_slice(outdated, range(5))  # it is too late
    line.note_slice(current, range(7))
    line.release(current)
    assert take(line).lost == ()
