"""What a task's failure counts as: only a worker that died or hung uses up a try."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import orjson
import pytest
from redis import Redis

from jobs.batches.consumer import BatchConsumer
from jobs.batches.status import BatchStatus
from jobs.batches.tasks import JOIN
from jobs.errors import FilesUnavailable, StoreUnavailable
from jobs.files.location import files_at
from jobs.queues import script_calls
from model.description.catalog import Catalog
from tests.unit.conftest import Clock
from tests.unit.worker.batch_service import WAKE_UP, BatchService

TABLE = b"years\n2.5\n4.5\n"


@pytest.fixture
def service(redis: Redis, tmp_path: Path, catalog: Catalog) -> BatchService:
    return BatchService(redis, files_at(str(tmp_path)), catalog)


@pytest.fixture
def full_disk(service: BatchService, monkeypatch: pytest.MonkeyPatch) -> Iterator[pytest.MonkeyPatch]:
    create = service.files.create

    def create_unless_full(name: str) -> Any:
        if "/parts/" in name:
            raise FilesUnavailable("the file store cannot be used: No space left on device")
        return create(name)

    with monkeypatch.context() as patch:
        patch.setattr(service.files, "create", create_unless_full)
        yield patch


def later(service: BatchService, clock: Clock, seconds: float = 16) -> None:
    """A lease passes, and a worker answers a wake-up."""
    clock.forward(seconds)
    service.consumer.sweep(1)
    service.loop().answer(WAKE_UP)


def lose(service: BatchService, clock: Clock) -> None:
    service.take("lost")
    clock.forward(16)
    service.consumer.sweep(1)


def test_a_full_disk_is_waited_for_however_many_workers_were_lost_before(
    service: BatchService, clock: Clock, full_disk: pytest.MonkeyPatch
) -> None:
    job_id = service.post(TABLE)
    service.work(service.take())
    for _ in range(8):
        lose(service, clock)
    for _ in range(20):
        later(service, clock)
    assert service.read(job_id).status is BatchStatus.RUNNING
    full_disk.undo()
    later(service, clock)
    record = service.read(job_id)
    assert (record.status, record.failed) == (BatchStatus.SUCCEEDED, 0)


def test_a_disk_that_stays_full_fails_the_batch_after_the_patience_of_the_settings(
    service: BatchService, clock: Clock, full_disk: pytest.MonkeyPatch
) -> None:
    job_id = service.post(TABLE)
    for _ in range(29):
        later(service, clock, seconds=20)
    assert service.read(job_id).status is BatchStatus.RUNNING
    for _ in range(2):
        later(service, clock, seconds=20)
    record = service.read(job_id)
    assert record.status is BatchStatus.FAILED
    assert orjson.loads(record.error or b"")["type"] == "files_unavailable"


def test_tries_on_a_full_disk_do_not_count_as_lost_workers(
    service: BatchService, clock: Clock, full_disk: pytest.MonkeyPatch
) -> None:
    service.post(TABLE)
    for _ in range(5):
        later(service, clock)
    clock.forward(16)
    service.consumer.sweep(1)
    assert service.take().attempts == 1


def test_a_step_that_fails_for_another_reason_is_tried_three_times(
    service: BatchService, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise ValueError

    monkeypatch.setattr(service.stages.planning, "plan", fail)
    job_id = service.post(TABLE)
    for status in (BatchStatus.VALIDATING, BatchStatus.VALIDATING, BatchStatus.FAILED):
        later(service, clock)
        assert service.read(job_id).status is status


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
    monkeypatch.setattr(script_calls, "PAUSES_SECONDS", (0, 0, 0))


@pytest.mark.parametrize("carried_out", [False, True])
@pytest.mark.parametrize("method", ["planned", "done", "joined", "finish"])
def test_a_pause_of_the_store_loses_no_work(
    service: BatchService, monkeypatch: pytest.MonkeyPatch, method: str, carried_out: bool
) -> None:
    job_id = service.post(TABLE)
    monkeypatch.setattr(service.consumer, method, Pauses(service.consumer, method, 2, carried_out))
    service.loop().answer(WAKE_UP)
    record = service.read(job_id)
    assert (record.status, record.total, record.rows) == (BatchStatus.SUCCEEDED, 2, 2)
    assert service.result(job_id).splitlines()[1:] == [b"260.00012,,", b"374.99866,,"]


@pytest.mark.parametrize("method", ["claim", "done", "put_off"])
def test_long_pauses_of_the_store_are_no_lost_workers(
    service: BatchService, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    service.post(TABLE)
    service.work(service.take())
    loop = service.loop()
    for _ in range(12):  # more than fail a batch
        with monkeypatch.context() as patch:
            patch.setattr(
                service.consumer, method, Pauses(service.consumer, method, 4, carried_out=method == "claim")
            )
            if method == "put_off":
                patch.setattr(service.stages.scoring, "score", lambda *_: 1 / 0)
            with pytest.raises(StoreUnavailable):
                loop.answer(WAKE_UP)
        loop.consumer.release_claims("child")
        task = service.take()
        assert (task.task, task.attempts) == ("0", 1)
        service.consumer.release(task)
    loop.answer(WAKE_UP)


def test_what_a_worker_claimed_without_an_answer_is_released_as_soon_as_the_store_answers(
    service: BatchService, monkeypatch: pytest.MonkeyPatch
) -> None:
    job_id = service.post(TABLE)
    loop = service.loop()
    with monkeypatch.context() as patch:
        patch.setattr(service.consumer, "claim", Pauses(service.consumer, "claim", 1, carried_out=True))
        with pytest.raises(StoreUnavailable):
            loop.answer(WAKE_UP)
    loop.answer(WAKE_UP)
    assert service.read(job_id).status is BatchStatus.SUCCEEDED


def test_a_worker_that_lost_its_lease_and_lives_is_not_counted(service: BatchService, clock: Clock) -> None:
    service.post(TABLE)
    for _ in range(12):
        paused = service.take("paused")
        clock.forward(16)
        service.consumer.sweep(1)
        service.consumer.release(paused)
    assert service.take().attempts == 1


def test_a_join_that_kills_every_worker_ends_the_batch(service: BatchService, clock: Clock) -> None:
    job_id = service.post(TABLE)
    service.consumer.release(service.take_until(JOIN))
    for _ in range(9):
        lose(service, clock)
    record = service.read(job_id)
    assert record.status is BatchStatus.FAILED
    assert b"worker_lost" in (record.error or b"")
