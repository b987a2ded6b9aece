"""Explanations take up to hundreds of times longer than scores: a thread of each child works on them alone.

XGBoost lets go of the lock of Python while it computes, and does so in a second thread, of a lower priority,
so that those who did not ask for explanations do not wait for them. All else is done in the first: who holds
that lock and has to wait for a processor makes everybody wait.
"""

import logging
import os
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress

import orjson

from jobs.errors import StoreUnavailable
from jobs.predictions.consumer import Claim, PredictionConsumer
from jobs.predictions.record import Row
from worker.account import Account
from worker.bundles import Bundles, bundle_of
from worker.outputs import Score, explained_scores
from worker.pace import Pace
from worker.poison_rows import score_claims
from worker.scoring import Stopped, by_bundle

log = logging.getLogger(__name__)

NO_BELL = ""
"""This line needs none: the thread watches it all the time."""
WATCH_MS = 1_000
NICE = 10
FIRST_ROWS = 10
"""To be claimed before the first are measured."""
CLAIM_SECONDS = 0.1
"""So much work is claimed at once: more would leave other children idle, and be no faster."""
SLICE_SECONDS = 0.25
"""How long a call of the model may take: between two of them leases are renewed, or the worker stops."""
END_SECONDS = 3
STOPPED = orjson.dumps({"type": "worker_lost", "detail": "every worker that took it was lost"})


class ExplanationLoop:
    """`stopping` is asked between the slices; what is not done by then is given back to the line."""

    def __init__(
        self,
        line: PredictionConsumer,
        bundles: Bundles,
        account: Account,
        child: str,
        lease_seconds: float,
        stopping: Callable[[], bool],
    ) -> None:
        self._line = line
        self._bundles = bundles
        self._account = account
        self._child = child
        self._renew_seconds = lease_seconds / 5
        self._stopping = stopping
        self._paces: dict[str, Pace] = {}
        """By the sha256 of the bundle: one may take a thousand times longer than another."""
        self._computing = ThreadPoolExecutor(1, "explaining", initializer=_give_way)
        self._overall = Pace()
        self._thread = threading.Thread(target=self._run, name="explanations", daemon=True)

    def start(self) -> None:
        self._thread.start()

    @property
    def rows_per_second(self) -> int:
        """While it has work; 0 before its first."""
        return self._overall.rows_per_second

    def join(self) -> None:
        """Waits until the thread has seen that the worker is to stop."""
        self._thread.join(END_SECONDS)

    def _run(self) -> None:
        while not self._stopping():
            try:
                self.work()
            except StoreUnavailable as error:  # what was claimed is taken back when its lease is over
                log.warning("store_away", extra={"error": str(error)})
                time.sleep(1)

    def work(self, watch_ms: int = WATCH_MS) -> None:
        """One claim's worth of explanations, or a while of waiting for some."""
        rows = min((pace.rows for pace in self._paces.values()), default=FIRST_ROWS)
        claims = self._line.claim(self._child, NO_BELL, rows)
        if not claims and (entry := self._line.wait(self._child, watch_ms)):
            claims = self._line.claim(self._child, NO_BELL, rows, entry)
        self._account.claimed()
        for those in by_bundle(claims):
            try:
                self._explain(those)
            except Stopped:
                self._line.give_back(those, STOPPED)
        self._account.tell()

    def _explain(self, claims: list[Claim]) -> None:
        bundle = bundle_of(claims, self._bundles, self._line)
        if bundle is None:
            return
        started = time.perf_counter()
        score = self._sliced(explained_scores(bundle, self._computing), claims)
        outcomes = score_claims(self._line, score, claims)
        rows, seconds = sum(len(claim.rows) for claim in claims), time.perf_counter() - started
        self._account.scored(claims, rows, seconds)
        self._account.recorded(outcomes, self._line.record(outcomes))
        self._overall.worked(rows, time.perf_counter() - started)

    def _sliced(self, score: Score, claims: list[Claim]) -> Score:
        """Scores some rows at a time; a list that takes longer than a lease stays this child's."""
        pace = self._paces.setdefault(claims[0].sha256, Pace(FIRST_ROWS, CLAIM_SECONDS))
        renewed = time.monotonic()

        def score_in_slices(rows: Sequence[Row]) -> list[bytes]:
            nonlocal renewed
            outputs: list[bytes] = []
            while len(outputs) < len(rows):
                if self._stopping():
                    raise Stopped
                if time.monotonic() - renewed > self._renew_seconds:
                    self._line.renew(claims, self._child)
                    renewed = time.monotonic()
                started = time.perf_counter()
                at = len(outputs)
                some = score(rows[at : at + pace.within(SLICE_SECONDS)])
                pace.measured(len(some), time.perf_counter() - started)
                outputs += some
            return outputs

        return score_in_slices


def _give_way() -> None:
    with suppress(OSError):
        os.setpriority(os.PRIO_PROCESS, threading.get_native_id(), NICE)
