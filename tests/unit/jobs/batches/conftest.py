"""Batches whose files do not exist, and helpers that claim and complete their tasks."""

from typing import Any

import pytest
from redis import Redis

from jobs import ids
from jobs.batches.consumer import BatchConsumer, PlanCheckpoint
from jobs.batches.inputs import PlannedFile
from jobs.batches.record import BatchOptions, BatchRecord, NewBatch
from jobs.batches.store import BatchStore
from jobs.batches.tasks import PLAN, BatchTask, ChunkDone
from jobs.files.tables import Format
from jobs.predictions.store import PredictionStore
from jobs.settings import Settings
from tests.unit.conftest import SHA

OPTIONS = BatchOptions(Format.CSV, Format.CSV)
WAKE_UP = "wake_up"
FILES = 3


@pytest.fixture
def consumer(redis: Redis, settings: Settings) -> BatchConsumer:
    return BatchConsumer(redis, settings)


@pytest.fixture
def store(redis: Redis, settings: Settings) -> BatchStore:
    return BatchStore(redis, settings)


@pytest.fixture
def predictions(redis: Redis, settings: Settings) -> PredictionStore:
    return PredictionStore(redis, settings)


def add(store: BatchStore, options: BatchOptions = OPTIONS, owner: str = "ada", **more: Any) -> str:
    job_id = ids.new_id(ids.BATCH)
    store.add(NewBatch(job_id, "salary@1", SHA, owner, options, size=100, **more))
    return job_id


def planned(store: BatchStore, consumer: BatchConsumer, chunks: int) -> str:
    """The id of a batch of so many chunks that is planned."""
    job_id = add(store)
    task = take(consumer)
    assert (task.id, task.task) == (job_id, PLAN)
    plan(consumer, task, chunks)
    return job_id


def checkpoint(chunks: int, first: int = 0, over: str = "plan", position: str = "") -> PlanCheckpoint:
    """A checkpoint of planning that finds so many chunks of ten rows and five bytes."""
    texts = [f"{number}:0:0:10:5" for number in range(first, first + chunks)]
    return PlanCheckpoint(first, b"{}", texts, 10 * chunks, 5 * chunks, position, over)


def of_file(planned: PlanCheckpoint) -> PlanCheckpoint:
    """The checkpoint as it is within one of several files, of which one that has no chunks cannot be read."""
    error = "" if planned.chunks else '{"type":"invalid_table"}'
    file = PlannedFile("s3://salaries/in/a.csv", 7, "etag", Format.CSV, error=error)
    return planned._replace(file=planned.first % FILES, file_planned=file.to_json())


def plan(consumer: BatchConsumer, task: BatchTask, chunks: int) -> None:
    """Cuts the batch into so many chunks, at one checkpoint."""
    consumer.planned(task, checkpoint(chunks))


def done(rows: int = 10, failed: int = 0) -> ChunkDone:
    return ChunkDone(rows, failed, size=100, errors_size=20 * failed, expected=10, bytes=5)


def take(consumer: BatchConsumer, child: str = "child") -> BatchTask:
    task = consumer.claim(child, WAKE_UP)
    assert task
    return task


def score(consumer: BatchConsumer, task: BatchTask, failed: int = 0) -> None:
    consumer.done(task, done(failed=failed))


def read(store: BatchStore, job_id: str) -> BatchRecord:
    [record] = store.read([job_id])
    assert isinstance(record, BatchRecord)
    return record
