"""Several files are planned and joined piece by piece, by one worker after the other."""

import gzip
from collections.abc import Callable
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any, cast

import orjson
import pytest
from redis import Redis

from jobs import ids
from jobs.batches.inputs import ListedFile, listing_of, manifest_of, write_listing
from jobs.batches.record import NewBatch, part_of
from jobs.batches.status import BatchStatus
from jobs.batches.tasks import JOIN, PLAN
from jobs.files.location import files_at
from model.description.catalog import Catalog
from tests.unit.conftest import Clock
from tests.unit.worker.batch_service import OPTIONS, BatchService, always
from worker.stopping import ScoringStopped
from worker.tables import plan

A = b"id,years\n" + b"".join(b"%d,%d.5\n" % (row, row % 12) for row in range(60))
B = A.replace(b"7,7.5", b"7,many")
C = b"note;years\n" + b"".join(b"x;%d,5\n" % (row % 12) for row in range(40))
FILES = {"a.csv": A, "b.csv.gz": gzip.compress(B), "c.csv": C, "d.csv": b"id\n1\n"}


@pytest.fixture
def service(
    aws: Any, redis: Redis, tmp_path: Path, catalog: Catalog, monkeypatch: pytest.MonkeyPatch
) -> BatchService:
    """A second passes with each look at the clock, so that each chunk and each piece has a checkpoint."""
    monkeypatch.setattr(plan, "CHUNK", 200)
    for name, body in FILES.items():
        aws.put_object(Bucket="salaries", Key=f"in/{name}", Body=body)
    return BatchService(redis, files_at(str(tmp_path)), catalog, s3_allow="s3://salaries")


def post(service: BatchService, aws: Any) -> str:
    job_id = ids.new_id(ids.BATCH)
    found = aws.list_objects_v2(Bucket="salaries", Prefix="in/")["Contents"]
    listed = [ListedFile(f"s3://salaries/{each['Key']}", each["Size"], each["ETag"]) for each in found]
    options = replace(OPTIONS, source="s3://salaries/in/", root="s3://salaries/in/", files=len(listed))
    with service.files.create(listing_of(job_id, options)) as file:
        file.write(write_listing(listed))
    service.store.add(NewBatch(job_id, "salary@1", service.sha256, "ada", options, size=1))
    return job_id


def written(service: BatchService, job_id: str) -> dict[str, bytes]:
    """The results and errors of all files."""
    root = Path(service.files._root, "batches", job_id)  # type: ignore[attr-defined]
    files = [file for name in ("result", "errors") for file in sorted((root / name).glob("[!.]*"))]
    return {f"{file.parent.name}/{file.name}": file.read_bytes() for file in files}


def expected(service: BatchService, aws: Any) -> dict[str, bytes]:
    """What is written if nothing goes wrong."""
    job_id = post(service, aws)
    service.work_all()
    return written(service, job_id)


def test_results_are_those_of_each_file_scored_alone(service: BatchService, aws: Any) -> None:
    alone = [service.post(body) for body in (A, B, C)]
    service.work_all()
    found = expected(service, aws)
    assert [found[f"result/{number:06}"] for number in range(3)] == [service.result(each) for each in alone]
    assert found.keys() == {"result/000000", "result/000001", "result/000002", "errors/000001"}
    assert found["errors/000001"] == service.errors(alone[1])


def test_each_step_of_planning_may_be_done_by_another_worker(service: BatchService, aws: Any) -> None:
    right = expected(service, aws)
    job_id = post(service, aws)
    slots = 0
    while task := service.consumer.claim("child", "wake_up"):
        slots += task.task == PLAN
        service.work(task)
    assert slots > len(FILES)  # some slots ended within a file
    assert written(service, job_id) == right
    record = service.read(job_id)
    assert (record.status, record.total, record.rows, record.failed) == ("partially_succeeded", 160, 160, 1)
    assert record.failed_files == 1


def test_a_worker_that_was_only_slow_plans_no_file_twice(
    service: BatchService, aws: Any, clock: Clock
) -> None:
    right = expected(service, aws)
    job_id = post(service, aws)
    service.work(service.take_until(PLAN))
    slow = service.take_until(PLAN)
    clock.forward(16)
    service.consumer.sweep(1)
    service.work(service.take_until(PLAN))
    with pytest.raises(ScoringStopped):
        service.stages.planning.plan(slow, service.bundle, always)
    service.work_all()
    assert written(service, job_id) == right


def after(times: int) -> Callable[[], bool]:
    calls = count()
    return lambda: next(calls) < times


def test_joining_goes_on_within_a_file_and_with_the_next(service: BatchService, aws: Any) -> None:
    right = expected(service, aws)
    job_id = post(service, aws)
    places, joined = [], []
    for pieces in count(2):
        task = service.take_until(JOIN)
        places.append(orjson.loads(task.joining)[1:] if task.joining else None)
        joined.append(len(task.joined))
        try:
            service.stages.joining.join(task, after(pieces))
            break
        except ScoringStopped:
            service.consumer.release(task)
    assert written(service, job_id) == right
    assert {0, 1, 2} <= set(joined)
    assert any(place and place[0][1] for place in places)  # one of them was within a file
    lines = orjson.loads(service.files.read(manifest_of(job_id)))["files"]
    assert [(line["name"], line["status"], line["rows"]) for line in lines] == [
        ("a.csv", "succeeded", 60),
        ("b.csv.gz", "partially_succeeded", 60),
        ("c.csv", "succeeded", 40),
        ("d.csv", "failed", 0),
    ]


def test_a_damaged_part_is_scored_again_and_its_file_joined_anew(service: BatchService, aws: Any) -> None:
    right = expected(service, aws)
    job_id = post(service, aws)
    task = service.take_until(JOIN)
    with pytest.raises(ScoringStopped):
        service.stages.joining.join(task, after(8))
    service.consumer.release(task)
    service.files.remove_file(part_of(job_id, 1))
    service.work_all()
    assert written(service, job_id) == right
    assert service.read(job_id).status is BatchStatus.PARTIALLY_SUCCEEDED


def test_a_part_that_is_damaged_again_and_again_fails_its_file_alone(service: BatchService, aws: Any) -> None:
    right = expected(service, aws)
    job_id = post(service, aws)
    for _ in range(4):
        join = service.take_until(JOIN)
        service.files.remove_file(part_of(job_id, 0))
        service.work(join)
    service.work_all()
    record = service.read(job_id)
    assert (record.status, record.failed_files) == (BatchStatus.PARTIALLY_SUCCEEDED, 2)
    found = written(service, job_id)
    assert found["result/000001"] == right["result/000001"]
    assert "rows 1 to" in found["errors/000000"].decode()


@pytest.mark.parametrize("source", ["/etc/passwd", "s3://salaries-of-others/a.csv", "s3://salaries/../a.csv"])
def test_a_file_that_was_changed_in_redis_reaches_no_other(
    service: BatchService, aws: Any, source: str
) -> None:
    job_id = post(service, aws)
    chunk = service.take_until("0")
    service.consumer.release(chunk)
    key = f"job:{job_id}:files"
    file = orjson.loads(cast(bytes, service.redis.hget(key, "0")))
    service.redis.hset(key, "0", orjson.dumps([source, *file[1:]]))
    loop = service.loop()
    loop.answer("wake_up")
    record = service.read(job_id)
    assert (record.status, record.failed_files) == (BatchStatus.PARTIALLY_SUCCEEDED, 2)
    assert b"PAYGRADE_S3_ALLOW" in (record.error or b"")


def test_a_layout_is_kept_once_for_all_files_that_share_it(service: BatchService, aws: Any) -> None:
    job_id = post(service, aws)
    service.work_all()
    assert len(service.files.sizes(f"batches/{job_id}/layouts")) == 2
