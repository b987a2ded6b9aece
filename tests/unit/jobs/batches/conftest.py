"""Batches of chunks that are not really there, and words for what children do with them."""

from typing import Any

import pytest
from redis import Redis

from jobs import ids
from jobs.batch_line import PLAN, BatchLine, Done, Task
from jobs.batch_store import BatchStore
from jobs.batches import Asked, BatchRecord, NewBatch
from jobs.names import BATCH_LINE, GROUP
from jobs.settings import Settings
from jobs.store import Store
from jobs.tables import Format
from tests.unit.conftest import SHA

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


def read(store: BatchStore, job_id: str) -> BatchRecord:
    [record] = store.read([job_id])
    assert isinstance(record, BatchRecord)
    return record
