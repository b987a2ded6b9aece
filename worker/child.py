"""A child of the worker: the process that loads models and scores."""

import gc
import logging
import os
import socket
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Protocol

from celery import Celery

from jobs import RELEASE
from jobs.broker import ring
from jobs.connection import WORKER_ANSWER_SECONDS, connect, connect_alone
from jobs.errors import StoreUnavailable
from jobs.logs import Journal
from jobs.metrics import Metrics
from jobs.predictions.consumer import PredictionConsumer
from jobs.queues.capacity import Process
from jobs.queues.names import EXPLAINED, EXPLAINERS
from jobs.settings import Settings
from model.description.catalog import Catalog
from model.description.errors import ModelError
from worker.account import Account
from worker.bundles import Bundles
from worker.explanations import ExplanationLoop
from worker.predictions import PredictionLoop

log = logging.getLogger(__name__)

BEAT_SECONDS = 1
TRY_AGAIN_SECONDS = 5
"""How long to wait before a default bundle that could not be served is tried again."""


def heartbeat_file(settings: Settings) -> Path:
    """Touched every second while a child lives whose golden rows have passed."""
    return settings.data / "worker.heartbeat"


class Work(Protocol):
    def answer(self, wake_up: str) -> None:
        """Works until nothing waits, or the worker is to stop."""


class Child:
    """Made after the fork: XGBoost's threads do not survive one. Answers no wake_up until it is ready."""

    def __init__(
        self, settings: Settings, celery: Celery, journal: Journal, stopping: Callable[[], bool]
    ) -> None:
        self.name = f"{socket.gethostname()}:{os.getppid()}:{os.getpid()}"
        self._settings = settings
        self._celery = celery
        self._parent = os.getppid()
        self._metrics = Metrics(connect(settings))
        self._accounts = Account(self._metrics, journal), Account(self._metrics, journal)
        self._stopping = stopping
        self._connect()
        self._explanations: ExplanationLoop | None = None
        self._work = self._prepare()
        threading.Thread(target=self._beat, name="heartbeat", daemon=True).start()

    def answer(self, wake_up: str) -> None:
        try:
            if self._work:
                self._work.answer(wake_up)
            else:
                self._withdraw(wake_up)  # for another worker
        except StoreUnavailable as error:  # what was claimed is taken back when its lease is over
            log.warning("store_away", extra={"error": str(error)})

    def close(self) -> None:
        """Before the process ends."""
        if self._explanations:
            self._explanations.join()
        for account in self._accounts:
            account.tell()
        with suppress(StoreUnavailable):
            self._metrics.flush()

    def _connect(self) -> None:
        self._line = PredictionConsumer(connect(self._settings, WORKER_ANSWER_SECONDS), self._settings)

    def _withdraw(self, wake_up: str) -> None:
        self._line.withdraw(wake_up)

    def _make_work(self, bundles: Bundles) -> Work:
        line = PredictionConsumer(connect(self._settings, WORKER_ANSWER_SECONDS), self._settings, EXPLAINED)
        alone = PredictionConsumer(connect_alone(self._settings, WORKER_ANSWER_SECONDS), self._settings)
        mine, of_explanations = self._accounts
        lease = self._settings.lease_seconds
        self._explanations = ExplanationLoop(line, bundles, of_explanations, self.name, lease, self._stopping)
        self._explanations.start()
        self._predictions = PredictionLoop(alone, bundles, mine, self.name, self._stopping)
        return self._predictions

    def _prepare(self) -> Work | None:
        """None, with the reason in the log, if the default model cannot be served, or Redis is away."""
        problems: list[str] = []
        try:
            catalog = Catalog(
                self._settings.bundles,
                self._settings.default_model,
                cache=self._settings.data / "bundles",
            )
            problems += catalog.problems.values()
            bundles = Bundles(catalog)
            ref = bundles.check_default()
            work = self._make_work(bundles)
        except (ModelError, StoreUnavailable) as error:
            log.error("takes_no_work", extra={"error": "; ".join([str(error), *problems])})
            return None
        # What lives for ever need not be looked at by each collection; XGBoost leaves much behind for it.
        gc.freeze()
        gc.set_threshold(10_000, 20, 20)
        log.info("ready", extra={"child": self.name, "model": ref})
        return work

    def _live(self) -> None:
        self._line.live(Process(self.name, RELEASE, self._predictions.pace.rows_per_second))
        if self._explanations:
            pace = self._explanations.rows_per_second
            self._line.live(Process(f"{self.name}:explained", RELEASE, pace), EXPLAINERS)

    def _ring(self) -> None:
        """What waited for a worker need not wait for the sweeper too."""
        for wake_up in self._line.wake_ups(most=1):
            ring(self._celery, wake_up)

    def _beat(self) -> None:
        announced = False
        while True:
            if os.getppid() != self._parent:
                os._exit(1)  # the worker was killed: nobody would ever stop this child
            try:
                if not self._work:
                    time.sleep(TRY_AGAIN_SECONDS)
                    self._work = self._prepare()
                    continue
                heartbeat_file(self._settings).touch()
                self._live()
                if not announced:
                    self._ring()
                    announced = True
                self._metrics.flush()
            except Exception as error:  # a child that is not heard counts as dead
                log.warning("not_alive", extra={"error": str(error)})
            time.sleep(BEAT_SECONDS)
