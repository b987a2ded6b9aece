"""Explanations take up to hundreds of times as long as scores, so each child has a thread for them alone.

XGBoost computes them in a second thread, of lower priority, and releases Python's lock meanwhile, so that
predictions do not wait. The first thread does everything else at normal priority: a thread of low priority
that holds the lock while it waits for a processor would stop all others.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

from jobs.errors import StoreUnavailable
from jobs.predictions.consumer import WORKER_LOST, Claim, PredictionConsumer
from jobs.predictions.record import Row
from jobs.queues.script_calls import patiently
from jobs.supervision import Supervisor
from worker.bundles import Bundles, Score, bundle_or_release, explaining_scorer
from worker.measurements import Measurements, Pace
from worker.predictions import by_bundle, score_or_release
from worker.stopping import ScoringStopped

log = logging.getLogger(__name__)

NO_WAKE_UP = ""
"""This queue has no wake-ups: the thread watches it all the time."""
WATCH_MS = 1_000
NICENESS = 10
FIRST_ROWS = 10
"""Rows of the first claims, before the pace is measured."""
CLAIM_SECONDS = 0.1
"""How long the work of one claim should take: more would leave other children idle, and be no faster."""
CALL_SECONDS = 0.25
"""About how long one call takes. Between two calls, leases are renewed and the worker can stop."""
CLOSE_SECONDS = 3


class ExplanationLoop:
    """Explains rows in a thread of its own. When the worker stops, unfinished jobs are released."""

    def __init__(
        self,
        consumer: PredictionConsumer,
        bundles: Bundles,
        measurements: Measurements,
        name: str,
        lease_seconds: float,
        stopping: Callable[[], bool],
        supervisor: Supervisor,
    ) -> None:
        self.consumer = consumer
        self._bundles = bundles
        self._measurements = measurements
        self._name = name
        self._renew_seconds = lease_seconds / 5
        self._stopping = stopping
        self._paces: dict[str, Pace] = {}
        """The pace of each bundle, by its sha256: a row may take a thousand times as long as in another."""
        self._executor = ThreadPoolExecutor(1, "explaining", initializer=_lower_priority)
        self._overall = Pace()
        self._supervisor = supervisor
        self._thread: threading.Thread | None = None

    @property
    def rows_per_second(self) -> int:
        return self._overall.rows_per_second

    def start(self) -> None:
        self._thread = self._supervisor.start("explanations", self._run)

    def close(self) -> None:
        """Waits until the thread has seen that the worker stops."""
        if self._thread:
            self._thread.join(CLOSE_SECONDS)

    def flush(self) -> None:
        self._measurements.flush()

    def _run(self) -> None:
        while not self._stopping():
            self.work()  # after an error, claimed jobs are requeued when their lease is over

    def work(self, watch_ms: int = WATCH_MS) -> None:
        """Explains the rows of one claim; waits up to `watch_ms` for a first job."""
        rows = min((pace.rows for pace in self._paces.values()), default=FIRST_ROWS)
        claims = self.consumer.claim(self._name, NO_WAKE_UP, rows)
        if not claims and (entries := self.consumer.read(self._name, 1, watch_ms)):
            claims = self.consumer.claim(self._name, NO_WAKE_UP, rows, entries)
        self._measurements.claimed()
        for group in by_bundle(claims):
            try:
                self._explain(group)
            except ScoringStopped:
                self.consumer.release(group, WORKER_LOST)

    def _explain(self, claims: list[Claim]) -> None:
        bundle = bundle_or_release(claims, self._bundles, self.consumer)
        if bundle is None:
            return
        started = time.perf_counter()
        score = self._in_short_calls(explaining_scorer(bundle, self._executor), claims)
        outcomes = score_or_release(self.consumer, score, claims)
        rows, seconds = sum(len(claim.rows) for claim in claims), time.perf_counter() - started
        self._measurements.scored(claims, rows, seconds)
        self._measurements.recorded(outcomes, patiently(self.consumer.record, outcomes))
        self._overall.worked(rows, time.perf_counter() - started)

    def _renew(self, claims: list[Claim]) -> None:
        """Goes on if Redis pauses: until the lease is over, nobody else has the jobs."""
        try:
            self.consumer.renew(claims, self._name)
        except StoreUnavailable as error:
            log.warning("store_unavailable", extra={"error": str(error)})

    def _in_short_calls(self, score: Score, claims: list[Claim]) -> Score:
        """Makes the function that scores with short calls of the model, and renews the leases in between."""
        pace = self._paces.setdefault(claims[0].sha256, Pace(FIRST_ROWS, CLAIM_SECONDS))
        renewed = time.monotonic()

        def score_in_short_calls(rows: Sequence[Row]) -> list[bytes]:
            nonlocal renewed
            outputs: list[bytes] = []
            while len(outputs) < len(rows):
                if self._stopping():
                    raise ScoringStopped
                if time.monotonic() - renewed > self._renew_seconds:
                    self._renew(claims)
                    renewed = time.monotonic()
                started = time.perf_counter()
                first = len(outputs)
                some = score(rows[first : first + pace.within(CALL_SECONDS)])
                pace.measured(len(some), time.perf_counter() - started)
                outputs += some
            return outputs

        return score_in_short_calls


def _lower_priority() -> None:
    with suppress(OSError):
        thread = threading.get_native_id()
        os.setpriority(os.PRIO_PROCESS, thread, os.getpriority(os.PRIO_PROCESS, thread) + NICENESS)
