"""A Celery worker: its pool of children, and what happens as it starts and stops."""

import gc
import os
import warnings
from collections.abc import Callable
from mmap import mmap
from typing import Any

from celery import signals
from celery.platforms import SecurityWarning
from celery.utils.log import get_multiprocessing_logger

from jobs.logs import Journal
from jobs.queues.celery_app import make_celery
from jobs.queues.connection import connect
from jobs.settings import Settings
from jobs.supervision import Supervisor
from worker.child import Child
from worker.child_worker import yield_to_others
from worker.roles import Role
from worker.sweeper import StoreRewrite, Sweeper


class Worker:
    """A prefork pool: the parent supervises and sweeps, its children score."""

    def __init__(
        self,
        settings: Settings,
        journal: Journal,
        role: Role,
        supervisor: Supervisor,
        when_stopping: Callable[[], None],
    ) -> None:
        self._settings = settings
        self._role = role
        self._supervisor = supervisor
        self._when_stopping = when_stopping
        # Shared with the children, and without a lock, which a killed child would never release.
        self._stopping = mmap(-1, 1)
        self._sweeper: Sweeper | None = None
        self.celery = make_celery(settings)
        self.celery.conf.broker_transport = "worker.wake_up_transport:WakeUpTransport"
        # Before anything forks: those of batches import boto3 for files in S3; see jobs/files/s3_client.py.
        self._sweeps = role.make_sweeps(settings, self.celery)
        self._child = Child(role, settings, self.celery, journal, lambda: self._stopping[0] != 0)
        # Celery would drop weak references to bound methods at once.
        signals.after_setup_logger.connect(_log_with_all, weak=False)
        signals.worker_process_init.connect(self._start_child, weak=False)
        signals.worker_process_shutdown.connect(self._close_child, weak=False)
        signals.worker_ready.connect(self._start_sweeper, weak=False)
        signals.worker_shutting_down.connect(self._stop, weak=False)

    def run(self) -> int:
        """Blocks until SIGTERM or SIGINT; then ends as soon as what is claimed is recorded."""
        # Celery warns of pickles when it runs as root; here it accepts JSON only.
        warnings.simplefilter("ignore", SecurityWarning)
        yield_to_others(os.getpid(), self._role.niceness)
        worker = self.celery.Worker(
            pool="prefork",
            queues=[self._role.queue.name],
            concurrency=self._role.children(self._settings),
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
            quiet=True,
            loglevel=self._settings.log_level,
        )
        # Children share what is there; neither the collector nor Celery looks through it at their start.
        gc.freeze()
        gc.enable()
        worker.start()
        return int(worker.exitcode or 0)

    def _start_child(self, **_: Any) -> None:
        self._child.start()

    def _close_child(self, **_: Any) -> None:
        self._child.close()

    def _start_sweeper(self, **_: Any) -> None:
        rewrite = StoreRewrite(connect(self._settings))
        self._sweeper = Sweeper([*self._sweeps, rewrite, self._supervisor.metrics.flush], self._supervisor)
        self._sweeper.start()

    def _stop(self, **_: Any) -> None:
        self._stopping[0] = 1
        self._when_stopping()
        if self._sweeper:
            self._sweeper.stop()


def _log_with_all(**_: Any) -> None:
    """Removes the handler that Celery gives its process logger, which does not write JSON."""
    logger = get_multiprocessing_logger()
    logger.handlers.clear()
    logger.propagate = True
