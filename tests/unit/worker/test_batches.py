"""What a task's failure counts as: only a worker that died or hung uses up a try."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from redis import Redis

from jobs.batches.consumer import JOIN, BatchConsumer
from jobs.batches.status import BatchStatus
from jobs.errors import FilesUnavailable, StoreUnavailable
from jobs.files.location import files_at
from model.description.catalog import Catalog
from tests.unit.conftest import Clock
from tests.unit.worker.batch_bench import WAKE_UP, BatchBench
from worker import patience

TABLE = b"years\n2.5\n4.5\n"


@pytest.fixture
def bench(redis: Redis, tmp_path: Path, catalog: Catalog) -> BatchBench:
    return BatchBench(redis, files_at(str(tmp_path)), catalog)


@pytest.fixture
def full_disk(bench: BatchBench, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    create = bench.files.create

    def create_unless_full(name: str) -> Any:
        if "/parts/" in name:
            raise FilesUnavailable("the file store cannot be used: No space left on device")
        return create(name)

    with monkeypatch.context() as patch:
        patch.setattr(bench.files, "create", create_unless_full)
        yield patch


def later(bench: BatchBench, clock: Clock, seconds: float = 16) -> None:
    """A lease passes, and a worker answers a wake-up."""
    clock.forward(seconds)
    bench.consumer.sweep(1)
    bench.loop().answer(WAKE_UP)


def lose(bench: BatchBench, clock: Clock) -> None:
    bench.take("lost")
    clock.forward(16)
    bench.consumer.sweep(1)


def test_a_full_disk_is_waited_for_however_many_workers_were_lost_before(
    bench: BatchBench, clock: Clock, full_disk: pytest.MonkeyPatch
) -> None:
    job_id = bench.post(TABLE)
    bench.work(bench.take())
    for _ in range(8):
        lose(bench, clock)
    for _ in range(20):
        later(bench, clock)
    assert bench.read(job_id).status is BatchStatus.RUNNING
    full_disk.undo()
    later(bench, clock)
    record = bench.read(job_id)
    assert (record.status, record.failed) == (BatchStatus.SUCCEEDED, 0)


def test_a_disk_that_stays_full_fails_the_batch_after_the_patience_of_the_settings(
    bench: BatchBench, clock: Clock, full_disk: pytest.MonkeyPatch
) -> None:
    job_id = bench.post(TABLE)
    later(bench, clock)
    later(bench, clock, seconds=580)
    assert bench.read(job_id).status is BatchStatus.RUNNING
    later(bench, clock, seconds=30)
    record = bench.read(job_id)
    assert record.status is BatchStatus.FAILED
    assert orjson.loads(record.error or b"")["type"] == "files_unavailable"


def test_tries_on_a_full_disk_do_not_count_as_lost_workers(
    bench: BatchBench, clock: Clock, full_disk: pytest.MonkeyPatch
) -> None:
    bench.post(TABLE)
    for _ in range(5):
        later(bench, clock)
    clock.forward(16)
    bench.consumer.sweep(1)
    assert bench.take().tries == 1


def test_a_step_that_fails_for_another_reason_is_tried_three_times(
    bench: BatchBench, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ValueError

    monkeypatch.setattr(bench.steps, "plan", fail)
    job_id = bench.post(TABLE)
    for status in (BatchStatus.VALIDATING, BatchStatus.VALIDATING, BatchStatus.FAILED):
        later(bench, clock)
        assert bench.read(job_id).status is status


class Pauses:
    """Redis does not answer some calls of one method, though it may carry them out."""

    def __init__(self, consumer: BatchConsumer, method: str, times: int, carried_out: bool) -> None:
        self._call = getattr(consumer, method)
        self._left = times
        self._carried_out = carried_out

    def __call__(self, *arguments: Any, **named: Any) -> Any:
        self._left -= 1
        if self._left < 0 or self._carried_out:
            answer = self._call(*arguments, **named)
        if self._left >= 0:
            raise StoreUnavailable
        return answer


@pytest.fixture(autouse=True)
def _no_pauses_between_tries(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(patience, "PAUSES_SECONDS", (0, 0, 0))


@pytest.mark.parametrize("carried_out", [False, True])
@pytest.mark.parametrize("method", ["planned", "done", "joined", "finish"])
def test_a_pause_of_the_store_loses_no_work(
    bench: BatchBench, monkeypatch: pytest.MonkeyPatch, method: str, carried_out: bool
) -> None:
    job_id = bench.post(TABLE)
    monkeypatch.setattr(bench.consumer, method, Pauses(bench.consumer, method, 2, carried_out))
    bench.loop().answer(WAKE_UP)
    record = bench.read(job_id)
    assert (record.status, record.total, record.rows) == (BatchStatus.SUCCEEDED, 2, 2)
    assert bench.result(job_id).splitlines()[1:] == [b"260.00012,,", b"374.99866,,"]


@pytest.mark.parametrize("method", ["claim", "done", "put_off"])
def test_long_pauses_of_the_store_are_no_lost_workers(
    bench: BatchBench, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    bench.post(TABLE)
    bench.work(bench.take())
    loop = bench.loop()
    for _ in range(12):  # more than fail a batch
        with monkeypatch.context() as patch:
            patch.setattr(
                bench.consumer, method, Pauses(bench.consumer, method, 4, carried_out=method == "claim")
            )
            if method == "put_off":
                patch.setattr(bench.steps, "score", lambda *_: 1 / 0)
            with pytest.raises(StoreUnavailable):
                loop.answer(WAKE_UP)
        loop.consumer.release_claims("child")
        task = bench.take()
        assert (task.task, task.tries) == ("0", 1)
        bench.consumer.release(task)
    loop.answer(WAKE_UP)


def test_what_a_worker_claimed_without_an_answer_is_released_as_soon_as_the_store_answers(
    bench: BatchBench, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = bench.post(TABLE)
    loop = bench.loop()
    with monkeypatch.context() as patch:
        patch.setattr(bench.consumer, "claim", Pauses(bench.consumer, "claim", 1, carried_out=True))
        with pytest.raises(StoreUnavailable):
            loop.answer(WAKE_UP)
    loop.answer(WAKE_UP)
    assert bench.read(job_id).status is BatchStatus.SUCCEEDED


def test_a_worker_that_lost_its_lease_and_lives_is_not_counted(bench: BatchBench, clock: Clock) -> None:
    bench.post(TABLE)
    for _ in range(12):
        paused = bench.take("paused")
        clock.forward(16)
        bench.consumer.sweep(1)
        bench.consumer.release(paused)
    assert bench.take().tries == 1


def test_a_join_that_kills_every_worker_ends_the_batch(bench: BatchBench, clock: Clock) -> None:
    job_id = bench.post(TABLE)
    bench.consumer.release(bench.take_until(JOIN))
    for _ in range(9):
        lose(bench, clock)
    record = bench.read(job_id)
    assert record.status is BatchStatus.FAILED
    assert b"worker_lost" in (record.error or b"")
