"""The Celery worker: its task, and what happens as it starts and stops."""

import warnings
from mmap import mmap
from typing import Any

from celery import signals
from celery.platforms import SecurityWarning

from jobs.broker import make_celery
from jobs.connection import connect
from jobs.line import Line
from jobs.logs import Journal
from jobs.settings import Settings
from worker import tasks
from worker.sweeper import Sweeper


class Worker:
    """A prefork pool: the parent minds and sweeps, its children score."""

    def __init__(self, settings: Settings, journal: Journal) -> None:
        self._settings = settings
        self._journal = journal
        # Seen by the children, and without a lock, which a child that is killed might hold for ever.
        self._stopping = mmap(-1, 1)
        self._child: Any = None
        self._sweeper: Sweeper | None = None
        self.celery = make_celery(settings)
        tasks.register(self.celery, self._answer)
        # Weak references would let go of bound methods at once.
        signals.worker_process_init.connect(self._start_child, weak=False)
        signals.worker_process_shutdown.connect(self._close_child, weak=False)
        signals.worker_ready.connect(self._start_sweeper, weak=False)
        signals.worker_shutting_down.connect(self._stop, weak=False)

    def run(self) -> int:
        """Blocks until SIGTERM or SIGINT; then ends as soon as what is claimed is recorded."""
        # Celery warns root of pickles; it accepts JSON only here.
        warnings.simplefilter("ignore", SecurityWarning)
        worker = self.celery.Worker(
            pool="prefork",
            concurrency=self._settings.children,
            without_gossip=True,
            without_mingle=True,
            without_heartbeat=True,
            quiet=True,
            loglevel=self._settings.log_level,
        )
        worker.start()
        return int(worker.exitcode or 0)

    def _answer(self, bell: str) -> None:
        self._child.answer(bell)

    def _start_child(self, **_: Any) -> None:
        from worker.child import Child  # loads XGBoost, which the parent never may

        self._child = Child(
            self._settings, self.celery, self._journal, stopping=lambda: self._stopping[0] != 0
        )

    def _close_child(self, **_: Any) -> None:
        if self._child:
            self._child.close()

    def _start_sweeper(self, **_: Any) -> None:
        line = Line(connect(self._settings), self._settings)
        self._sweeper = Sweeper(line, self.celery, bells=self._settings.children)
        self._sweeper.start()

    def _stop(self, **_: Any) -> None:
        self._stopping[0] = 1
        if self._sweeper:
            self._sweeper.stop()
