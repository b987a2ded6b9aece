"""The sweeper: requeues jobs of lost workers, sends wake-ups that are missing, removes what has expired."""

import logging
import threading
import time
from collections.abc import Callable, Sequence
from typing import Any

from celery import Celery
from redis import Redis

from jobs import ids
from jobs.batches.consumer import BatchConsumer, ExpiredBatch
from jobs.batches.record import folder_of
from jobs.errors import FilesUnavailable
from jobs.files.store import FileStore
from jobs.predictions.consumer import PredictionConsumer
from jobs.queues.connection import store_errors
from jobs.queues.queue import send_wake_up
from jobs.supervision import Supervisor

log = logging.getLogger(__name__)

SWEEP_EVERY_SECONDS = 2
LEFTOVERS_EVERY_SECONDS = 600
OLDEST_DRAFT_SECONDS = 24 * 3600
"""Older unfinished files are removed: no upload takes so long."""
REWRITE_EVERY_SECONDS = 12 * 3600
"""Half a day, so that a rewrite that fails is followed by another within the day."""
REWRITTEN = "store:rewritten"
"""The key that exists until the append-only file is to be rewritten again."""

Sweep = Callable[[], None]


class Sweeper:
    """A thread of the worker's parent process. Every worker has one; Redis lets only one sweep at a time."""

    def __init__(self, sweeps: Sequence[Sweep], supervisor: Supervisor) -> None:
        self._sweeps = sweeps
        self._supervisor = supervisor
        self._stopped = threading.Event()

    def start(self) -> None:
        self._supervisor.start("sweeper", self._run)

    def stop(self) -> None:
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.is_set():
            for sweep in self._sweeps:
                try:
                    sweep()
                except Exception as error:  # the next sweep follows
                    self._supervisor.report("sweeper", error)
            self._stopped.wait(SWEEP_EVERY_SECONDS)


class QueueSweep:
    """Sweeps one queue. `most_wake_ups` is how many to send at a time, if the queue has wake-ups."""

    def __init__(
        self, consumer: PredictionConsumer | BatchConsumer, celery: Celery, most_wake_ups: int
    ) -> None:
        self._consumer = consumer
        self._celery = celery
        self._most_wake_ups = most_wake_ups if consumer.queue.task else 0

    def __call__(self) -> None:
        self.sweep()

    def sweep(self) -> Any:
        swept = self._consumer.sweep(self._most_wake_ups)
        for name in swept.wake_ups:
            send_wake_up(self._celery, self._consumer.queue, name)
        if swept.requeued or swept.given_up:
            queue, requeued, given_up = self._consumer.queue.name, swept.requeued, swept.given_up
            log.warning("swept", extra={"queue": queue, "requeued": requeued, "given_up": given_up})
        if swept.unreadable:
            self.log_unreadable(swept.unreadable)
        return swept

    def log_unreadable(self, entries: int) -> None:
        log.error("unreadable_entry", extra={"queue": self._consumer.queue.name, "entries": entries})


class BatchQueueSweep(QueueSweep):
    """Also removes the files of batches that have expired, and what aborted uploads left behind."""

    def __init__(self, consumer: BatchConsumer, celery: Celery, most_wake_ups: int, files: FileStore) -> None:
        super().__init__(consumer, celery, most_wake_ups)
        self._batches = consumer
        self._files = files
        self._leftovers_at = 0.0
        self._leftover: set[str] = set()
        """The folders without a record when they were last looked at."""

    def __call__(self) -> None:
        for expired in self.sweep().removable:
            try:
                if batch := ExpiredBatch.read(expired):
                    self._files.remove(folder_of(batch.id))
                else:
                    self.log_unreadable(1)
                self._batches.files_removed(expired)
            except FilesUnavailable as error:  # the next sweep tries again
                log.warning("files_unavailable", extra={"error": str(error)})
        if time.monotonic() > self._leftovers_at:
            self._leftovers_at = time.monotonic() + LEFTOVERS_EVERY_SECONDS
            self.remove_leftovers()

    def remove_leftovers(self) -> None:
        """Removes what is old and has no record, and was so the last time too: a clock may have jumped."""
        self._files.remove_drafts(OLDEST_DRAFT_SECONDS)
        old = [
            folder
            for folder in self._files.folders("batches")
            if ids.is_id(folder, ids.BATCH) and ids.older_than(folder, OLDEST_DRAFT_SECONDS * 1000)
        ]
        leftover = set(self._batches.unknown(old))
        for job_id in leftover & self._leftover:
            self._files.remove(folder_of(job_id))
        self._leftover = leftover


class StoreRewrite:
    """Has Redis rewrite its append-only file, which holds what was deleted until then, twice a day.

    A Redis without such a file, as in ElastiCache, may not know the command, and is not sent it.
    """

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def __call__(self) -> None:
        with store_errors():
            if self._redis.set(REWRITTEN, 1, nx=True, ex=REWRITE_EVERY_SECONDS) and self._has_file():
                self._redis.bgrewriteaof()
                log.info("store_rewritten")

    def _has_file(self) -> bool:
        return bool(self._redis.info("persistence").get("aof_enabled"))
