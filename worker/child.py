"""A child process of a worker: it loads models and scores."""

import gc
import logging
import os
import socket
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from celery import Celery

from jobs import RELEASE
from jobs.errors import StoreUnavailable
from jobs.logs import Journal
from jobs.metrics import Metrics
from jobs.queues.connection import WORKER_ANSWER_SECONDS, connect
from jobs.queues.processes import Process
from jobs.queues.queue import QueueConsumer, send_wake_up
from jobs.settings import Settings
from jobs.supervision import Supervisor
from jobs.tracing import tracing_of
from model.description.catalog import Catalog
from model.description.errors import ModelError
from worker.limits import MemoryBudget, budget_of, memory_of_machine
from worker.roles import ChildContext, Loop, Role, WokenLoop

log = logging.getLogger(__name__)

HEARTBEAT_SECONDS = 1
PREPARE_AGAIN_SECONDS = 5
"""How long a child waits before it tries again a default bundle that it could not serve."""


def heartbeat_file(settings: Settings) -> Path:
    """The file that each child touches every second, once it has a default bundle that it can serve."""
    return settings.data / "worker.heartbeat"


class Child:
    """Create it before the fork and start it after the fork, which XGBoost's threads do not survive."""

    def __init__(
        self,
        role: Role,
        settings: Settings,
        celery: Celery,
        journal: Journal,
        stopping: Callable[[], bool],
    ) -> None:
        self._role = role
        self._settings = settings
        self._celery = celery
        self._journal = journal
        self._stopping = stopping
        # Asked before the fork: a child whose worker was killed at once would find another parent.
        self._worker = os.getpid()
        self._memory = MemoryBudget(budget_of(settings, memory_of_machine(), role.least_memory))
        self._woken: WokenLoop | None = None
        self._loops: list[Loop] = []
        self._announced = False
        self._register()

    def start(self) -> None:
        """Limits its memory, loads the default bundle, and starts the heartbeat thread."""
        self._memory.enforce()
        self._name = f"{socket.gethostname()}:{self._worker}:{os.getpid()}"
        self._metrics = Metrics(connect(self._settings))
        self._supervisor = Supervisor(self._metrics)
        self._tracing = tracing_of(self._settings.otlp_endpoint, "paygrade-worker")
        redis = connect(self._settings, WORKER_ANSWER_SECONDS)
        self._queues = [QueueConsumer(redis, self._settings, queue) for queue in self._role.serves]
        self._prepare()
        self._supervisor.start("heartbeat", self._beat)

    def answer(self, wake_up: str) -> None:
        try:
            if self._woken:
                self._woken.answer(wake_up)
            else:
                self._queues[0].withdraw(wake_up)  # for another worker
        except StoreUnavailable as error:  # claimed jobs are requeued when their lease is over
            log.warning("store_unavailable", extra={"error": str(error)})

    def close(self) -> None:
        """Ends the loops and reports what they counted, before the process ends."""
        for loop in self._loops:
            loop.close()
            loop.flush()
        with suppress(StoreUnavailable):
            self._metrics.flush()
        if self._tracing:
            self._tracing.close()

    def _flush(self) -> None:
        for loop in self._loops:
            loop.flush()
        self._metrics.flush()

    def _register(self) -> None:
        """Registers the Celery task, whose only information is the name of the wake-up."""

        @self._celery.task(name=self._role.queue.task, bind=True, ignore_result=True)  # type: ignore[untyped-decorator]
        def score(task: Any) -> None:
            self.answer(task.request.id)

    def _prepare(self) -> None:
        """Loads the default bundle and starts the loops; if that fails, logs the reason and starts none."""
        from worker.bundles import Bundles  # with XGBoost, which the parent never may load

        settings = self._settings
        problems: list[str] = []
        try:
            catalog = Catalog(settings.bundles, settings.default_model, cache=settings.data / "bundles")
            problems += catalog.problems.values()
            bundles = Bundles(catalog)
            ref = bundles.check_default()
            woken, others = self._role.make_loops(self._context(bundles))
        except ModelError as error:
            log.error("takes_no_work", extra={"error": "; ".join([str(error), *problems])})
            return
        self._loops = [woken, *others]
        for loop in self._loops:
            loop.start()
        self._woken = woken
        # The garbage collector need not visit what lives until the process ends.
        gc.freeze()
        gc.set_threshold(10_000, 20, 20)
        log.info("ready", extra={"child": self._name, "model": ref})

    def _context(self, bundles: Any) -> ChildContext:
        return ChildContext(
            self._name,
            self._settings,
            self._celery,
            self._metrics,
            self._journal,
            bundles,
            self._stopping,
            self._supervisor,
            self._memory,
            self._tracing,
        )

    def _touch(self) -> None:
        try:
            heartbeat_file(self._settings).touch()
        except OSError as error:  # a full or read-only disk stops no prediction
            self._supervisor.report("heartbeat file", error)

    def _report_alive(self) -> None:
        for queue, loop in zip(self._queues, self._loops, strict=True):
            queue.report_alive(Process(self._name, RELEASE, loop.rows_per_second))

    def _wake_up(self) -> None:
        """Sends a wake-up for each queue in which something waits: earlier ones may be lost."""
        for queue in self._queues:
            if queue.queue.task and (name := queue.first_wake_up()):
                send_wake_up(self._celery, queue.queue, name)

    def _beat(self) -> None:
        while True:
            if os.getppid() != self._worker:
                os._exit(1)  # the worker was killed, and nothing else would stop this child
            if self._woken:
                self.beat()
            else:
                time.sleep(PREPARE_AGAIN_SECONDS)
                self._prepare()
            time.sleep(HEARTBEAT_SECONDS)

    def beat(self) -> None:
        """Shows that the child is alive, and at first looks at its queues. Raises StoreUnavailable."""
        self._touch()
        self._report_alive()
        if not self._announced:
            self._wake_up()
            self._announced = True
        self._flush()
