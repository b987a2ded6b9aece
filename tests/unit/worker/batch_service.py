"""A service for batches, over a Redis in memory and a directory; nothing runs but what the test calls."""

from dataclasses import replace
from itertools import count
from typing import Any

from redis import Redis

from jobs import ids
from jobs.batches.consumer import BatchConsumer
from jobs.batches.record import BatchOptions, BatchRecord, NewBatch, folder_of
from jobs.batches.store import BatchStore
from jobs.batches.tasks import BatchTask
from jobs.files.store import FileStore
from jobs.files.tables import Format
from jobs.logs import Journal
from jobs.metrics import Metrics
from jobs.settings import Settings
from jobs.supervision import Supervisor
from model.bundle import Bundle
from model.description.catalog import Catalog
from worker.batches import BatchLoop, BatchStages, Lease
from worker.bundles import Bundles
from worker.measurements import Measurements
from worker.tables.score import all_at_once

OPTIONS = BatchOptions(Format.CSV, Format.CSV)
WAKE_UP = "wake_up"


def always() -> bool:
    return True


class BatchService:
    """`seconds` pass between two looks at the clock."""

    def __init__(
        self, redis: Redis, files: FileStore, catalog: Catalog, seconds: float = 1, s3_allow: str = ""
    ) -> None:
        self.settings = Settings(s3_allow=s3_allow)
        self.redis, self.files, self.bundles = redis, files, Bundles(catalog)
        self.sha256 = catalog.find("salary@1").sha256
        self.store = BatchStore(redis, self.settings)
        self.consumer = BatchConsumer(redis, self.settings, lambda name: None)
        ticks = count(step=seconds)
        measurements = Measurements(Metrics(redis), Journal("INFO", lambda _: None))
        self.stages = BatchStages.of(self.consumer, files, measurements, self.settings, lambda: next(ticks))

    @property
    def bundle(self) -> Bundle:
        return self.bundles.get("salary@1", self.sha256)

    def post(self, data: bytes, **options: Any) -> str:
        job_id = ids.new_id(ids.BATCH)
        with self.files.create(f"{folder_of(job_id)}/input") as file:
            file.write(data)
        asked = replace(OPTIONS, **options)
        self.store.add(NewBatch(job_id, "salary@1", self.sha256, "ada", asked, size=len(data)))
        return job_id

    def take(self, child: str = "child") -> BatchTask:
        task = self.consumer.claim(child, WAKE_UP)
        assert task
        return task

    def work(self, task: BatchTask) -> None:
        """What a worker does with the task."""
        if task.task == "plan":
            self.stages.planning.plan(task, self.bundle, always)
        elif task.task == "join":
            self.stages.joining.join(task, always)
        else:
            self.stages.scoring.score(task, self.bundle, always, all_at_once)

    def take_until(self, name: str) -> BatchTask:
        """Works until the next task is one of this name, and returns it."""
        while (task := self.take()).task != name:
            self.work(task)
        return task

    def work_all(self) -> None:
        while task := self.consumer.claim("child", WAKE_UP):
            self.work(task)

    def loop(self, files_patience: float = 600) -> BatchLoop:
        lease = Lease(self.consumer, "child", lambda: False, Supervisor(Metrics(self.redis)))
        return BatchLoop(
            self.consumer,
            self.bundles,
            self.stages,
            lease,
            "child",
            lambda: False,
            3,
            files_patience,
            lambda: None,
        )

    def read(self, job_id: str) -> BatchRecord:
        [record] = self.store.read([job_id])
        assert isinstance(record, BatchRecord)
        return record

    def result(self, job_id: str) -> bytes:
        return self.files.read(f"{folder_of(job_id)}/result")

    def errors(self, job_id: str) -> bytes:
        return self.files.read(f"{folder_of(job_id)}/errors")
