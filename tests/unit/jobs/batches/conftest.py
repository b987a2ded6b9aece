"""Batches of chunks that are not really there, and words for what children do with them."""

from typing import Any

import pytest
from redis import Redis

from jobs import ids
from jobs.batches.consumer import PLAN, BatchConsumer, BatchTask, ChunkDone
from jobs.batches.record import BatchOptions, BatchRecord, NewBatch
from jobs.batches.store import BatchStore
from jobs.files.tables import Format
from jobs.predictions.store import PredictionStore
from jobs.settings import Settings
from tests.unit.conftest import SHA

ASKED = BatchOptions(Format.CSV, Format.CSV)
BELL = "wake_up"


@pytest.fixture
def line(redis: Redis, settings: Settings) -> BatchConsumer:
    return BatchConsumer(redis, settings)


@pytest.fixture
def store(redis: Redis, settings: Settings) -> BatchStore:
    return BatchStore(redis, settings)


@pytest.fixture
def predictions(redis: Redis, settings: Settings) -> PredictionStore:
    return PredictionStore(redis, settings)


def add(store: BatchStore, asked: BatchOptions = ASKED, **more: Any) -> str:
    job_id = ids.new_id(ids.BATCH)
    store.add(NewBatch(job_id, "salary@1", SHA, "ada", asked, size=100, **more))
    return job_id


def planned(store: BatchStore, line: BatchConsumer, chunks: int) -> str:
    """A batch of so many chunks that is ready to be scored."""
    job_id = add(store)
    task = take(line)
    assert (task.id, task.task) == (job_id, PLAN)
    line.planned(
        task,
        b"{}",
        10 * chunks,
        5 * chunks,
        [f"{number}:0:0:10:5" for number in range(chunks)],
        most_wake_ups=1,
    )
    return job_id


def take(line: BatchConsumer, child: str = "child") -> BatchTask:
    task = line.claim(child, BELL)
    assert task
    return task


def score(line: BatchConsumer, task: BatchTask, failed: int = 0) -> None:
    line.done(task, ChunkDone(rows=10, failed=failed, size=5, expected=10), most_wake_ups=1)


def read(store: BatchStore, job_id: str) -> BatchRecord:
    [record] = store.read([job_id])
    assert isinstance(record, BatchRecord)
    return record
