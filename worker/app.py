"""A Celery worker: its task, and what happens as it starts and stops."""

import os
import warnings
from collections.abc import Callable
from mmap import mmap
from typing import Any

from celery import signals
from celery.platforms import SecurityWarning
from celery.utils.log import get_multiprocessing_logger

from jobs.batches.consumer import BatchConsumer
from jobs.broker import make_celery
from jobs.connection import connect
from jobs.files.store import files_at
from jobs.logs import Journal
from jobs.predictions.consumer import PredictionConsumer
from jobs.queues.names import BATCHES, PREDICTIONS
from jobs.settings import Settings
from worker import tasks
from worker.sweeper import BatchSweep, Sweeper, sweep_predictions

BATCH_NICENESS = 10


class Worker:
    """A prefork pool: the parent minds and sweeps, its children score."""

    def __init__(
        self, settings: Settings, journal: Journal, queue: str, when_stopping: Callable[[], None]
    ) -> None:
        self._settings = settings
        self._journal = journal
        self._queue = queue
        self._when_stopping = when_stopping
        self._children = settings.children if queue == PREDICTIONS else settings.batch_children
        # Seen by the children, and without a lock, which a child that is killed might hold for ever.
        self._stopping = mmap(-1, 1)
        self._files = files_at(settings.files_place)  # before anything forks; see jobs/s3.py
        self._child: Any = None
        self._sweeper: Sweeper | None = None
        self.celery = make_celery(settings)
        tasks.register(self.celery, queue, self._answer)
        # Weak references would let go of bound methods at once.
        signals.after_setup_logger.connect(_log_with_all, weak=False)
        signals.worker_process_init.connect(self._start_child, weak=False)
        signals.worker_process_shutdown.connect(self._close_child, weak=False)
        signals.worker_ready.connect(self._start_sweeper, weak=False)
        signals.worker_shutting_down.connect(self._stop, weak=False)

    def run(self) -> int:
        """Blocks until SIGTERM or SIGINT; then ends as soon as what is claimed is recorded."""
        # Celery warns root of pickles; it accepts JSON only here.
        warnings.simplefilter("ignore", SecurityWarning)
        if self._queue == BATCHES:
            os.nice(BATCH_NICENESS)  # a file never stands before a prediction
        worker = self.celery.Worker(
            pool="prefork",
            queues=[self._queue],
            concurrency=self._children,
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
            quiet=True,
            loglevel=self._settings.log_level,
        )
        worker.start()
        return int(worker.exitcode or 0)

    def _answer(self, wake_up: str) -> None:
        self._child.answer(wake_up)

    def _start_child(self, **_: Any) -> None:
        def stopping() -> bool:
            return self._stopping[0] != 0

        # These load XGBoost, which the parent never may.
        if self._queue == PREDICTIONS:
            from worker.child import Child

            self._child = Child(self._settings, self.celery, self._journal, stopping)
        else:
            from worker.batch_child import BatchChild

            self._child = BatchChild(self._settings, self.celery, self._journal, stopping)

    def _close_child(self, **_: Any) -> None:
        if self._child:
            self._child.close()

    def _start_sweeper(self, **_: Any) -> None:
        self._sweeper = Sweeper(self._make_sweep())
        self._sweeper.start()

    def _make_sweep(self) -> Callable[[], None]:
        settings = self._settings
        if self._queue == PREDICTIONS:
            line = PredictionConsumer(connect(settings), settings)
            return lambda: sweep_predictions(line, self.celery, self._children)
        return BatchSweep(
            BatchConsumer(connect(settings), settings),
            self.celery,
            self._files,
            wake_ups=self._children,
        )

    def _stop(self, **_: Any) -> None:
        self._stopping[0] = 1
        self._when_stopping()
        if self._sweeper:
            self._sweeper.stop()


def _log_with_all(**_: Any) -> None:
    """Celery gives what it tells of its processes a handler of its own, which does not write JSON."""
    logger = get_multiprocessing_logger()
    logger.handlers.clear()
    logger.propagate = True
