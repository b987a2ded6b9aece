"""A file is planned piece by piece, by one worker after the other, and its chunks are scored meanwhile."""

import gzip
from collections.abc import Callable
from itertools import count
from pathlib import Path

import orjson
import pytest
from redis import Redis

from jobs.batches.status import BatchStatus
from jobs.errors import InvalidTable
from jobs.files.location import files_at
from model.description.catalog import Catalog
from tests.unit.conftest import Clock
from tests.unit.worker.batch_service import WAKE_UP, BatchService, always
from worker.stopping import ScoringStopped
from worker.tables import plan
from worker.tables.cut import Chunk

LINES = [b"%d.5\n" % (number % 12) for number in range(300)]
TABLE = b"years\n" + b"".join(LINES)
CHUNK = 100


@pytest.fixture
def service(redis: Redis, tmp_path: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> BatchService:
    """A second passes with each list of chunks, so that each has a checkpoint."""
    monkeypatch.setattr(plan, "CHUNK", CHUNK)
    return BatchService(redis, files_at(str(tmp_path)), catalog)


def after(times: int) -> Callable[[], bool]:
    """Wanted so many times, and then no more."""
    calls = count()
    return lambda: next(calls) < times


def chunks_of(service: BatchService, job_id: str) -> list[Chunk]:
    texts: list[bytes] = service.redis.lrange(f"job:{job_id}:plan", 0, -1)  # type: ignore[assignment]
    return [Chunk.from_text(text.decode()) for text in texts]


@pytest.mark.parametrize("packed", [False, True])
def test_the_first_chunks_are_scored_while_later_ones_are_planned(
    service: BatchService, packed: bool
) -> None:
    job_id = service.post(gzip.compress(TABLE) if packed else TABLE, needs_decoding=packed)
    service.work(service.take())
    assert service.read(job_id).status is BatchStatus.QUEUED
    assert service.read(job_id).total is None
    tasks = [service.take().task for _ in range(2)]
    assert tasks[0] == "0"
    assert "plan" in (tasks[1], service.take().task)


@pytest.mark.parametrize("packed", [False, True])
def test_a_plan_made_in_many_turns_gives_every_row_once_and_in_order(
    service: BatchService, packed: bool
) -> None:
    job_id = service.post(gzip.compress(TABLE) if packed else TABLE, needs_decoding=packed)
    slots = 0
    while task := service.consumer.claim("child", WAKE_UP):
        slots += task.task == "plan"
        service.work(task)
    assert slots > 3
    record = service.read(job_id)
    assert (record.status, record.total, record.rows) == ("succeeded", 300, 300)
    scores = {b"2.5": b"260.00012,", b"4.5": b"374.99866,"}
    lines = service.result(job_id).splitlines()[1:]
    assert len(lines) == 300
    for years, line in zip(LINES, lines, strict=True):
        assert line.startswith(scores.get(years.strip(), b""))


def test_finding_the_place_in_a_packed_file_again_takes_at_most_half_of_a_slot(service: BatchService) -> None:
    job_id = service.post(gzip.compress(TABLE), needs_decoding=True)
    service.work(service.take())
    first = len(chunks_of(service, job_id))
    service.stages.planning._clock = iter([0, 7, *range(8, 1000)]).__next__  # it took 7 s
    service.work(service.take_until("plan"))
    assert len(chunks_of(service, job_id)) - first >= 7


def test_the_next_worker_goes_on_where_one_was_stopped(service: BatchService) -> None:
    job_id = service.post(gzip.compress(TABLE), needs_decoding=True)
    whole = service.post(TABLE)
    service.work(stopped := service.take())
    before = chunks_of(service, job_id)
    service.work(service.take())  # the plan of the other
    task = service.take_until("plan")
    assert (task.id, task.planning) == (job_id, str(before[-1].end))
    with pytest.raises(ScoringStopped):
        service.stages.planning.plan(task, service.bundle, after(0))
    service.consumer.release(task)
    assert task.id == stopped.id
    service.work(service.take_until("plan"))
    assert chunks_of(service, job_id)[: len(before)] == before
    service.work_all()
    assert service.result(job_id) == service.result(whole)


def test_lost_workers_count_only_against_a_step_without_progress(service: BatchService, clock: Clock) -> None:
    job_id = service.post(TABLE)
    for _ in range(4):
        for lost in range(3):  # nine would fail the batch
            assert service.take_until("plan").attempts == lost + 1
            clock.forward(16)
            service.consumer.sweep(1)
        service.work(service.take_until("plan"))
    service.work_all()
    assert service.read(job_id).status is BatchStatus.SUCCEEDED


def test_planning_asks_within_a_long_record_whether_it_is_to_go_on(service: BatchService) -> None:
    service.post(b"years,note\n" + b'2.5,"",a"' + b"," * 1_000_000)
    asked = count()
    with pytest.raises(ScoringStopped):
        service.stages.planning.plan(service.take(), service.bundle, lambda: next(asked) < 5)


def test_a_step_that_another_worker_has_recorded_ends_the_work_on_it(service: BatchService) -> None:
    job_id = service.post(TABLE)
    slow = service.take("slow")
    service.consumer.release(slow)
    service.work(service.take("quick"))
    planned = chunks_of(service, job_id)
    with pytest.raises(ScoringStopped):
        service.stages.planning.plan(slow, service.bundle, always)
    assert chunks_of(service, job_id) == planned


def test_a_file_that_is_damaged_far_behind_keeps_what_was_scored(service: BatchService) -> None:
    job_id = service.post(TABLE + b'"never closed\n' + b"1\n" * 30)
    scored = 0
    while task := service.consumer.claim("child", WAKE_UP):
        try:
            service.work(task)
        except InvalidTable as error:
            problem = orjson.dumps({"type": "invalid_table", "detail": str(error)})
            service.consumer.finish(task, BatchStatus.FAILED, problem)
        scored += task.task.isdigit()
    record = service.read(job_id)
    assert (record.status, record.total) == (BatchStatus.FAILED, None)
    assert b"line 302: this record does not end" in (record.error or b"")
    assert scored
    assert record.rows == service.result(job_id).count(b"\n") - 1
    missing = orjson.loads(service.errors(job_id).splitlines()[-1])
    assert missing["row"] == record.rows
    assert f"the rows from {record.rows + 1} on were not scored" in missing["errors"][0]["detail"]


def test_a_canceled_batch_is_planned_no_further(service: BatchService) -> None:
    job_id = service.post(TABLE)
    service.work(service.take())
    task = service.take_until("plan")
    service.store.cancel(job_id)
    with pytest.raises(ScoringStopped):
        service.stages.planning.plan(task, service.bundle, always)
    service.consumer.release(task)
    service.work_all()
    assert service.read(job_id).status is BatchStatus.CANCELED
