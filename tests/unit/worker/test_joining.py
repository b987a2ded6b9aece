"""Parts are joined piece by piece, and no batch succeeds with parts that are not as they were recorded."""

from collections.abc import Callable
from itertools import count
from pathlib import Path

import orjson
import pytest
from redis import Redis

from jobs.batches.record import folder_of, part_of, parts_folder
from jobs.batches.status import BatchStatus
from jobs.batches.tasks import BatchTask
from jobs.errors import FileMissing, FilesUnavailable
from jobs.files.location import files_at
from jobs.files.tables import Format
from model.description.catalog import Catalog
from tests.unit.conftest import Clock
from tests.unit.worker.batch_service import BatchService, always
from worker.stopping import ScoringStopped
from worker.tables import plan

GOOD_ROWS = b"years\n" + b"".join(b"%d.5\n" % (number % 14) for number in range(300))
TABLE = GOOD_ROWS + b"many\n"


@pytest.fixture
def service(redis: Redis, tmp_path: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> BatchService:
    """A second passes with each piece, so that each has a checkpoint."""
    monkeypatch.setattr(plan, "CHUNK", 200)
    return BatchService(redis, files_at(str(tmp_path)), catalog)


def after(times: int) -> Callable[[], bool]:
    calls = count()
    return lambda: next(calls) < times


def expected(service: BatchService, results: Format = Format.CSV) -> tuple[bytes, bytes]:
    """The results and the errors of the table, if nothing goes wrong."""
    job_id = service.post(TABLE, results=results)
    service.work_all()
    return service.result(job_id), service.errors(job_id)


@pytest.mark.parametrize("results", list(Format))
def test_the_next_worker_goes_on_where_one_was_stopped(service: BatchService, results: Format) -> None:
    right = expected(service, results)
    job_id = service.post(TABLE, results=results)
    stopped_at = []
    for turn in range(3):
        task = service.take_until("join")
        stopped_at.append(task.joining)
        with pytest.raises(ScoringStopped):
            service.stages.joining.join(task, after(2 + turn * (results is Format.PARQUET) * 2))
        service.consumer.release(task)
    service.work_all()
    assert (service.result(job_id), service.errors(job_id)) == right
    assert len(set(stopped_at)) == len(stopped_at)  # each went further than the one before
    assert service.read(job_id).status is BatchStatus.PARTIALLY_SUCCEEDED
    names = {file.name for file in Path(service.files._root, folder_of(job_id)).iterdir()}  # type: ignore[attr-defined]
    first_rows = {"first_rows"} if results is Format.PARQUET else set()
    assert names == {"result", "errors", "input", "parts"} | first_rows  # for a retry of the row that failed


def test_a_worker_that_was_only_slow_does_no_harm_to_the_one_that_goes_on(
    service: BatchService, clock: Clock
) -> None:
    right = expected(service)
    job_id = service.post(TABLE)
    slow = service.take_until("join")
    turns: list[None] = []

    def overtaken() -> bool:
        turns.append(None)
        if len(turns) == 4:
            clock.forward(16)
            service.consumer.sweep(1)
            service.work(service.take("quick"))
        return True

    with pytest.raises(ScoringStopped):
        service.stages.joining.join(slow, overtaken)
    service.consumer.release(slow)
    assert (service.result(job_id), service.errors(job_id)) == right


def shorten(service: BatchService, name: str) -> None:
    data = service.files.read(name)
    with service.files.create(name) as file:
        file.write(data[:-5])


def remove(service: BatchService, name: str) -> None:
    service.files.remove_file(name)


Damage = Callable[[BatchService, str], None]


@pytest.mark.parametrize("damage", [shorten, remove])
@pytest.mark.parametrize("ending", ["", ".errors"])
def test_a_chunk_whose_part_is_damaged_is_scored_again(
    service: BatchService, damage: Damage, ending: str
) -> None:
    right = expected(service)
    job_id = service.post(TABLE)
    join = service.take_until("join")
    last = max(join.done)
    damage(service, f"{part_of(job_id, last)}{ending}")
    service.work(join)
    assert service.read(job_id).status is BatchStatus.RUNNING
    again = service.take()
    assert again.task == str(last)
    service.work(again)
    service.work_all()
    assert (service.result(job_id), service.errors(job_id)) == right
    record = service.read(job_id)
    assert (record.status, record.total, record.rows) == ("partially_succeeded", 301, 301)


def test_a_part_that_is_damaged_after_the_join_began_is_found_by_the_next_step(service: BatchService) -> None:
    right = expected(service)
    job_id = service.post(TABLE)
    task = service.take_until("join")
    with pytest.raises(ScoringStopped):
        service.stages.joining.join(task, after(3))
    service.consumer.release(task)
    shorten(service, part_of(job_id, 1))  # its bytes may be in the results already
    service.work_all()
    assert service.result(job_id) == right[0]


@pytest.mark.parametrize("damage", [shorten, remove])
def test_a_part_that_is_damaged_while_it_is_joined_does_not_end_the_batch(
    service: BatchService, damage: Damage
) -> None:
    right = expected(service)
    job_id = service.post(TABLE)
    task = service.take_until("join")
    pieces = count()

    def wanted() -> bool:
        if next(pieces) == 1:
            damage(service, part_of(job_id, 2))
        return True

    with pytest.raises(FilesUnavailable):
        service.stages.joining.join(task, wanted)
    service.consumer.release(task)
    service.work_all()
    assert (service.result(job_id), service.errors(job_id)) == right


def test_a_batch_whose_part_is_damaged_again_and_again_fails_and_names_the_rows(
    service: BatchService,
) -> None:
    job_id = service.post(TABLE)
    for _ in range(4):
        join = service.take_until("join")
        remove(service, part_of(job_id, 1))
        service.work(join)
    service.work_all()
    record = service.read(job_id)
    assert record.status is BatchStatus.FAILED
    assert b"damaged or removed again and again" in (record.error or b"")
    lines = [orjson.loads(line) for line in service.errors(job_id).splitlines()]
    [detail] = [line["errors"][0]["detail"] for line in lines if "leave them out" in str(line)]
    first, last = detail.removeprefix("rows ").split(" were")[0].split(" to ")
    assert record.rows == 301 - (int(last) - int(first) + 1)
    assert service.result(job_id).count(b"\n") - 1 == record.rows


def test_a_batch_that_is_canceled_while_its_parts_are_joined_ends_at_once(service: BatchService) -> None:
    job_id = service.post(TABLE)
    task = service.take_until("join")
    assert service.store.cancel(job_id) is BatchStatus.CANCELED
    with pytest.raises(ScoringStopped):
        service.stages.joining.join(task, always)
    service.consumer.release(task)
    with pytest.raises(FileMissing):
        service.result(job_id)
    assert service.consumer.claim("child", "wake_up") is None


def test_only_the_worker_that_ends_a_batch_removes_its_parts(service: BatchService, clock: Clock) -> None:
    job_id = service.post(GOOD_ROWS)
    slow = service.take_until("join")
    service.stages.joining._clock = lambda: 0.0  # it records no further checkpoint, and so does not notice
    claimed: list[BatchTask] = []

    def overtaken() -> bool:
        if not claimed:
            clock.forward(16)
            service.consumer.sweep(1)
            claimed.append(service.take("other"))
        return True

    service.stages.joining.join(slow, overtaken)
    assert service.files.sizes(parts_folder(job_id))
    service.work(claimed[0])
    assert service.files.sizes(parts_folder(job_id)) == {}
    assert service.read(job_id).status is BatchStatus.SUCCEEDED
