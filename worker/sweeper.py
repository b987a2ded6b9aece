"""The sweeper: gives lost jobs another attempt, and rings wherever something waits unheard."""

import logging
import threading
import time
from collections.abc import Callable

from celery import Celery

from jobs import ids
from jobs.batches.consumer import BatchConsumer
from jobs.batches.record import folder_of
from jobs.broker import ring, send_batch_wake_up
from jobs.errors import FilesUnavailable
from jobs.files.store import Files
from jobs.predictions.consumer import PredictionConsumer

log = logging.getLogger(__name__)

EVERY_SECONDS = 2
DRAFTS_EVERY_SECONDS = 600
OLDEST_DRAFT_SECONDS = 24 * 3600
"""No upload takes longer."""


class Sweeper:
    """A thread of the worker's parent process. Every worker has one; Redis lets one at a time sweep."""

    def __init__(self, sweep: Callable[[], None]) -> None:
        self._sweep = sweep
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sweeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._sweep()
            except Exception as error:  # whatever it is, the next sweep may succeed
                log.warning("store_away", extra={"error": str(error)})
            self._stopped.wait(EVERY_SECONDS)


def sweep_predictions(line: PredictionConsumer, celery: Celery, wake_ups: int) -> None:
    swept = line.sweep(wake_ups)
    for wake_up in swept.wake_ups:
        ring(celery, wake_up)
    if swept.taken_back or swept.given_up:
        log.warning("swept", extra={"taken_back": swept.taken_back, "given_up": swept.given_up})


class BatchSweep:
    """Sweeps the line of batches, and removes files that are not needed any more."""

    def __init__(self, line: BatchConsumer, celery: Celery, files: Files, wake_ups: int) -> None:
        self._line = line
        self._celery = celery
        self._files = files
        self._bells = wake_ups
        self._drafts_at = 0.0

    def __call__(self) -> None:
        swept = self._line.sweep(self._bells)
        for wake_up in swept.wake_ups:
            send_batch_wake_up(self._celery, wake_up)
        if swept.taken_back or swept.given_up:
            log.warning("swept", extra={"taken_back": swept.taken_back, "given_up": swept.given_up})
        for job_id in swept.removable:
            try:
                self._files.remove(folder_of(job_id))
                self._line.removed(job_id)
            except FilesUnavailable as error:  # next time, perhaps; and that of others now
                log.warning("files_away", extra={"error": str(error)})
        if time.monotonic() > self._drafts_at:
            self._drafts_at = time.monotonic() + DRAFTS_EVERY_SECONDS
            self._remove_leftovers()

    def _remove_leftovers(self) -> None:
        """What an upload left that was aborted, or whose web process died."""
        self._files.remove_drafts(OLDEST_DRAFT_SECONDS)
        old = [
            folder
            for folder in self._files.folders("batches")
            if folder.startswith(ids.BATCH) and ids.older_than(folder, OLDEST_DRAFT_SECONDS * 1000)
        ]
        for job_id in self._line.unknown(old):
            self._files.remove(folder_of(job_id))
