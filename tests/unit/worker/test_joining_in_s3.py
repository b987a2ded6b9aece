"""Parts that are long enough are joined by S3 itself, to the same bytes as in a directory."""

from pathlib import Path
from random import Random
from typing import Any

import pytest
from redis import Redis

from jobs.files import s3_client, s3_draft
from jobs.files.location import files_at
from jobs.files.tables import Format
from model.description.catalog import Catalog
from tests.unit.worker.batch_service import BatchService
from tests.unit.worker.test_joining import TABLE, after
from worker.stopping import ScoringStopped
from worker.tables import plan

NAME_BYTES = 500
SOME_BYTES = 100_000
"""Headers, footers and errors."""


def long_table() -> bytes:
    """Three chunks. The last row fails."""
    chance = Random(1)  # noqa: S311 (no secret)
    rows = [f"{number % 14}.5,{chance.randbytes(NAME_BYTES).hex()}\n" for number in range(23_000)]
    return f"years,name\n{''.join(rows)}many,x\n".encode()


@pytest.fixture
def service(redis: Redis, aws: Any, catalog: Catalog) -> BatchService:
    return BatchService(redis, files_at("s3://salaries/files"), catalog)


@pytest.fixture
def directory(redis: Redis, tmp_path: Path, catalog: Catalog) -> BatchService:
    return BatchService(redis, files_at(str(tmp_path)), catalog)


def files_of(service: BatchService, table: bytes, results: Format) -> tuple[bytes, bytes]:
    """The results and the errors."""
    job_id = service.post(table, results=results)
    service.work_all()
    return service.result(job_id), service.errors(job_id)


def count_moved() -> dict[str, int]:
    """The bytes that S3 gives and takes from now on."""
    moved = {"given": 0, "taken": 0}

    def give(parsed: dict[str, Any], **_: object) -> None:
        moved["given"] += parsed["ContentLength"]

    def take(params: dict[str, Any], **_: object) -> None:
        moved["taken"] += len(params["Body"])

    events = s3_client.client().meta.events
    events.register("after-call.s3.GetObject", give)
    events.register("provide-client-params.s3.UploadPart", take)
    return moved


@pytest.mark.parametrize("results", list(Format))
def test_long_parts_do_not_pass_through_the_worker(
    service: BatchService, directory: BatchService, results: Format
) -> None:
    table = long_table()
    right = files_of(directory, table, results)
    job_id = service.post(table, results=results)
    join = service.take_until("join")
    sizes = [join.done[number].size for number in sorted(join.done)]
    assert len(sizes) == 3
    assert min(sizes) > s3_draft.LEAST_PART
    moved = count_moved()
    service.work(join)
    after_header = sizes[0] if results is Format.CSV else 0  # S3 adds nothing to a part so short
    first_rows = sizes[0] if results is Format.PARQUET else 0
    assert moved["given"] < after_header + first_rows + SOME_BYTES
    assert moved["taken"] < after_header + SOME_BYTES
    assert (service.result(job_id), service.errors(job_id)) == right


@pytest.mark.parametrize("results", list(Format))
def test_the_next_worker_goes_on_wherever_one_was_stopped(
    service: BatchService, directory: BatchService, results: Format, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(plan, "CHUNK", 200)
    monkeypatch.setattr(s3_draft, "PART", 400)
    for least in ("jobs.files.s3_draft.LEAST_PART", "moto.s3.models.S3_UPLOAD_PART_MIN_SIZE"):
        monkeypatch.setattr(least, 150)
    right = files_of(directory, TABLE, results)
    job_id = service.post(TABLE, results=results)
    for turn in range(12):
        task = service.take_until("join")
        with pytest.raises(ScoringStopped):
            service.stages.joining.join(task, after(1 + turn % 4))
        service.consumer.release(task)
    service.work_all()
    assert (service.result(job_id), service.errors(job_id)) == right
