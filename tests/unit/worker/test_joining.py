"""Parts are joined step by step, and no batch succeeds with parts that are not as they were recorded."""

from collections.abc import Callable
from itertools import count
from pathlib import Path

import orjson
import pytest
from redis import Redis

from jobs.batches.consumer import BatchTask
from jobs.batches.record import folder_of, part_of, parts_folder
from jobs.batches.status import BatchStatus
from jobs.errors import FileMissing, FilesUnavailable
from jobs.files.location import files_at
from jobs.files.tables import Format
from model.description.catalog import Catalog
from tests.unit.conftest import Clock
from tests.unit.worker.batch_bench import BatchBench, always
from worker.stopping import ScoringStopped
from worker.tables import plan

GOOD_ROWS = b"years\n" + b"".join(b"%d.5\n" % (number % 14) for number in range(300))
TABLE = GOOD_ROWS + b"many\n"


@pytest.fixture
def bench(redis: Redis, tmp_path: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch) -> BatchBench:
    """A second passes with each piece, so that each is a step."""
    monkeypatch.setattr(plan, "CHUNK", 200)
    return BatchBench(redis, files_at(str(tmp_path)), catalog)


def after(times: int) -> Callable[[], bool]:
    calls = count()
    return lambda: next(calls) < times


def expected(bench: BatchBench, results: Format = Format.CSV) -> tuple[bytes, bytes]:
    """The results and the errors of the table, if nothing goes wrong."""
    job_id = bench.post(TABLE, results=results)
    bench.work_all()
    return bench.result(job_id), bench.errors(job_id)


@pytest.mark.parametrize("results", list(Format))
def test_the_next_worker_goes_on_where_one_was_stopped(bench: BatchBench, results: Format) -> None:
    right = expected(bench, results)
    job_id = bench.post(TABLE, results=results)
    stopped_at = []
    for turn in range(3):
        task = bench.take_until("join")
        stopped_at.append(task.joining)
        with pytest.raises(ScoringStopped):
            bench.joining.join(task, after(2 + turn * (results is Format.PARQUET) * 2))
        bench.consumer.release(task)
    bench.work_all()
    assert (bench.result(job_id), bench.errors(job_id)) == right
    assert len(set(stopped_at)) == len(stopped_at)  # each went further than the one before
    assert bench.read(job_id).status is BatchStatus.PARTIALLY_SUCCEEDED
    names = {file.name for file in Path(bench.files._root, folder_of(job_id)).iterdir()}  # type: ignore[attr-defined]
    assert names == {"result", "errors", "input", "parts"}  # for a retry of the row that failed


def test_a_worker_that_was_only_slow_does_no_harm_to_the_one_that_goes_on(
    bench: BatchBench, clock: Clock
) -> None:
    right = expected(bench)
    job_id = bench.post(TABLE)
    slow = bench.take_until("join")
    turns: list[None] = []

    def overtaken() -> bool:
        turns.append(None)
        if len(turns) == 4:
            clock.forward(16)
            bench.consumer.sweep(1)
            bench.work(bench.take("quick"))
        return True

    with pytest.raises(ScoringStopped):
        bench.joining.join(slow, overtaken)
    bench.consumer.release(slow)
    assert (bench.result(job_id), bench.errors(job_id)) == right


def shorten(bench: BatchBench, name: str) -> None:
    data = bench.files.read(name)
    with bench.files.create(name) as file:
        file.write(data[:-5])


def remove(bench: BatchBench, name: str) -> None:
    bench.files.remove_file(name)


Damage = Callable[[BatchBench, str], None]


@pytest.mark.parametrize("damage", [shorten, remove])
@pytest.mark.parametrize("ending", ["", ".errors"])
def test_a_chunk_whose_part_is_damaged_is_scored_again(
    bench: BatchBench, damage: Damage, ending: str
) -> None:
    right = expected(bench)
    job_id = bench.post(TABLE)
    join = bench.take_until("join")
    last = max(join.done)
    damage(bench, f"{part_of(job_id, last)}{ending}")
    bench.work(join)
    assert bench.read(job_id).status is BatchStatus.RUNNING
    again = bench.take()
    assert again.task == str(last)
    bench.work(again)
    bench.work_all()
    assert (bench.result(job_id), bench.errors(job_id)) == right
    record = bench.read(job_id)
    assert (record.status, record.total, record.rows) == ("partially_succeeded", 301, 301)


def test_a_part_that_is_damaged_after_the_join_began_is_found_by_the_next_step(bench: BatchBench) -> None:
    right = expected(bench)
    job_id = bench.post(TABLE)
    task = bench.take_until("join")
    with pytest.raises(ScoringStopped):
        bench.joining.join(task, after(3))
    bench.consumer.release(task)
    shorten(bench, part_of(job_id, 1))  # its bytes may be in the results already
    bench.work_all()
    assert bench.result(job_id) == right[0]


@pytest.mark.parametrize("damage", [shorten, remove])
def test_a_part_that_is_damaged_while_it_is_joined_does_not_end_the_batch(
    bench: BatchBench, damage: Damage
) -> None:
    right = expected(bench)
    job_id = bench.post(TABLE)
    task = bench.take_until("join")
    pieces = count()

    def wanted() -> bool:
        if next(pieces) == 1:
            damage(bench, part_of(job_id, 2))
        return True

    with pytest.raises(FilesUnavailable):
        bench.joining.join(task, wanted)
    bench.consumer.release(task)
    bench.work_all()
    assert (bench.result(job_id), bench.errors(job_id)) == right


def test_a_batch_whose_part_is_damaged_again_and_again_fails_and_names_the_rows(bench: BatchBench) -> None:
    job_id = bench.post(TABLE)
    for _ in range(4):
        join = bench.take_until("join")
        remove(bench, part_of(job_id, 1))
        bench.work(join)
    bench.work_all()
    record = bench.read(job_id)
    assert record.status is BatchStatus.FAILED
    assert b"damaged or removed again and again" in (record.error or b"")
    lines = [orjson.loads(line) for line in bench.errors(job_id).splitlines()]
    [detail] = [line["errors"][0]["detail"] for line in lines if "leave them out" in str(line)]
    first, last = detail.removeprefix("rows ").split(" were")[0].split(" to ")
    assert record.rows == 301 - (int(last) - int(first) + 1)
    assert bench.result(job_id).count(b"\n") - 1 == record.rows


def test_a_batch_that_is_canceled_while_its_parts_are_joined_ends_at_once(bench: BatchBench) -> None:
    job_id = bench.post(TABLE)
    task = bench.take_until("join")
    assert bench.store.cancel(job_id) is BatchStatus.CANCELED
    with pytest.raises(ScoringStopped):
        bench.joining.join(task, always)
    bench.consumer.release(task)
    with pytest.raises(FileMissing):
        bench.result(job_id)
    assert bench.consumer.claim("child", "wake_up") is None


def test_only_the_worker_that_ends_a_batch_removes_its_parts(bench: BatchBench, clock: Clock) -> None:
    job_id = bench.post(GOOD_ROWS)
    slow = bench.take_until("join")
    bench.joining._clock = lambda: 0.0  # it records no further step, and so does not notice
    claimed: list[BatchTask] = []

    def overtaken() -> bool:
        if not claimed:
            clock.forward(16)
            bench.consumer.sweep(1)
            claimed.append(bench.take("other"))
        return True

    bench.joining.join(slow, overtaken)
    assert bench.files.sizes(parts_folder(job_id))
    bench.work(claimed[0])
    assert bench.files.sizes(parts_folder(job_id)) == {}
    assert bench.read(job_id).status is BatchStatus.SUCCEEDED
