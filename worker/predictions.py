"""What a child does when a wake-up for predictions arrives: claim, score and record until nothing waits."""

import logging
import time
from collections.abc import Callable, Sequence

from jobs.errors import StoreUnavailable
from jobs.predictions.consumer import Claim, Outcome, PredictionConsumer
from jobs.predictions.record import Row
from jobs.queues.script_calls import patiently
from worker.bundles import Bundles, bundle_of
from worker.measurements import Pace, Report
from worker.scoring import Score, by_bundle, score_claims, scorer

log = logging.getLogger(__name__)

CLAIM_EVERY_SECONDS = 0.1
"""How often to claim without waiting for an entry first: only such a claim finds the jobs of lost workers."""
LINGER_MS = 100
"""How long an empty queue is watched before the wake-up is withdrawn: the next job then needs no wake-up."""
BLOCK_SECONDS = 0.002
"""About how long a block of a list takes; to ask between two who waits takes a twentieth of that."""


class PredictionLoop:
    def __init__(
        self,
        consumer: PredictionConsumer,
        bundles: Bundles,
        report: Report,
        name: str,
        stopping: Callable[[], bool],
    ) -> None:
        self.consumer = consumer
        self._bundles = bundles
        self._report = report
        self._name = name
        self._stopping = stopping
        self.pace = Pace()
        self._claim_at = 0.0
        self._alone = False
        """Whether the last claim had a single row. A script would claim more of what arrives together."""
        self._served_seconds = 0.0
        """How long others were served in the middle of large lists."""

    @property
    def rows_per_second(self) -> int:
        return self.pace.rows_per_second

    def answer(self, wake_up: str) -> None:
        """Works until the queue is empty or the worker stops; what is claimed is always recorded."""
        claims = self.consumer.claim(self._name, wake_up, self.pace.rows) or self._wait(wake_up)
        while claims:
            started, rows = time.perf_counter(), sum(len(claim.rows) for claim in claims)
            self._report.claimed()
            self._alone = rows == 1
            outcomes = self._score_all(claims)
            if self._stopping():
                self._report.recorded(outcomes, patiently(self.consumer.record, outcomes))
                self.consumer.withdraw(wake_up)
                break
            claims = self._record(outcomes, wake_up)
            self.pace.worked(rows, time.perf_counter() - started)
            claims = claims or self._wait(wake_up)

    def start(self) -> None:
        """Does nothing: `answer` does the work, in the thread of the Celery task."""

    def flush(self) -> None:
        self._report.flush()

    def close(self) -> None:
        """Does nothing: there is no thread to wait for."""

    def _record(self, outcomes: list[Outcome], wake_up: str) -> list[Claim]:
        """Records and claims. After a single row it usually only records, since nothing else waits then."""
        claims: list[Claim] = []
        if len(outcomes) == 1 and len(outcomes[0].claim.rows) == 1 and time.monotonic() < self._claim_at:
            counted = patiently(self.consumer.record, outcomes)
        else:
            counted, claims = self._record_and_claim(outcomes, wake_up)
            self._claim_at = time.monotonic() + CLAIM_EVERY_SECONDS
        self._report.recorded(outcomes, counted)
        return claims

    def _record_and_claim(self, outcomes: list[Outcome], wake_up: str) -> tuple[list[Outcome], list[Claim]]:
        try:
            return self.consumer.record_and_claim(outcomes, self._name, wake_up, self.pace.rows)
        except StoreUnavailable:  # what was worked out is recorded before anything else
            return patiently(self.consumer.record, outcomes), []

    def _wait(self, wake_up: str) -> list[Claim]:
        """Waits for the next job and claims it, or withdraws the wake-up if none comes."""
        return self.consumer.wait_and_claim(self._name, wake_up, self.pace.rows, self._alone, LINGER_MS)

    def _score_all(self, claims: Sequence[Claim]) -> list[Outcome]:
        outcomes: list[Outcome] = []
        for group in by_bundle(claims):
            outcomes += self._score(group)
        return outcomes

    def _score(self, claims: list[Claim]) -> list[Outcome]:
        """Scores claims of one bundle; releases them if it cannot be loaded."""
        bundle = bundle_of(claims, self._bundles, self.consumer)
        if bundle is None:
            return []
        score = scorer(bundle)
        if any(claim.had_a_turn for claim in claims):
            score = in_blocks(score, self.pace, self._serve_first)
        served, started = self._served_seconds, time.perf_counter()
        outcomes = score_claims(self.consumer, score, claims)
        seconds = time.perf_counter() - started - (self._served_seconds - served)
        rows = sum(len(claim.rows) for claim in claims)
        self.pace.measured(rows, seconds)
        self._report.scored(claims, rows, seconds)
        return outcomes

    def _serve_first(self) -> None:
        """Serves what comes before the rest of a large list. If Redis pauses, its lease will end."""
        started = time.perf_counter()
        try:
            if claims := self.consumer.claim_first(self._name):
                with self._report.interrupted():
                    self._report.claimed()
                    outcomes = self._score_all(claims)
                    self._report.recorded(outcomes, self.consumer.record(outcomes))
        except StoreUnavailable as error:
            log.warning("store_unavailable", extra={"error": str(error)})
        self._served_seconds += time.perf_counter() - started


def in_blocks(score: Score, pace: Pace, between: Callable[[], None]) -> Score:
    """Makes the function that scores block by block, and calls `between` before each but the first."""

    def score_in_blocks(rows: Sequence[Row]) -> list[bytes]:
        outputs: list[bytes] = []
        while len(outputs) < len(rows):
            if outputs:
                between()
            outputs += score(rows[len(outputs) : len(outputs) + pace.within(BLOCK_SECONDS)])
        return outputs

    return score_in_blocks
