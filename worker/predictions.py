"""What a child does when a wake-up for predictions arrives: claim, score and record until nothing waits.

A claim is scored in one call of the model for all rows, which gives an output or an error for each row.
"""

import logging
import time
from collections.abc import Callable, Sequence

import orjson

from jobs.errors import StoreUnavailable
from jobs.predictions.consumer import Claim, Outcome, PredictionConsumer
from jobs.predictions.record import Row
from jobs.predictions.status import PredictionStatus
from jobs.queues.script_calls import patiently
from worker.bundles import Bundles, Score, bundle_or_release, scorer
from worker.limits import is_out_of_memory
from worker.measurements import Measurements, Pace
from worker.stopping import ScoringStopped

log = logging.getLogger(__name__)

NOT_SCORED = orjson.dumps({"error": {"type": "not_scored", "detail": "the model could not score this row"}})
OUT_OF_MEMORY = {"type": "out_of_memory", "detail": "no worker had enough memory left; try again later"}
GIVEN_UP = orjson.dumps(
    {"error": {"type": "worker_lost", "detail": "every worker that tried this row was lost"}}
)
ALL_FAILED = orjson.dumps(
    {"type": "rows_failed", "detail": "no row could be scored; each output has its error"}
)

CLAIM_EVERY_SECONDS = 0.1
"""How often to claim without waiting for an entry first: only such a claim finds the jobs of lost workers."""
LINGER_MS = 100
"""How long an empty queue is watched before the wake-up is withdrawn: the next job then needs no wake-up."""
CALL_SECONDS = 0.002
"""About how long a call for a part of a list takes; to look whether others wait takes a twentieth of that."""


class PredictionLoop:
    def __init__(
        self,
        consumer: PredictionConsumer,
        bundles: Bundles,
        measurements: Measurements,
        name: str,
        stopping: Callable[[], bool],
    ) -> None:
        self.consumer = consumer
        self._bundles = bundles
        self._measurements = measurements
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
            self._measurements.claimed()
            self._alone = rows == 1
            outcomes = self._score_all(claims)
            if self._stopping():
                self._measurements.recorded(outcomes, patiently(self.consumer.record, outcomes))
                self.consumer.withdraw(wake_up)
                break
            claims = self._record(outcomes, wake_up)
            self.pace.worked(rows, time.perf_counter() - started)
            claims = claims or self._wait(wake_up)

    def start(self) -> None:
        """Does nothing: `answer` does the work, in the thread of the Celery task."""

    def flush(self) -> None:
        self._measurements.flush()

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
        self._measurements.recorded(outcomes, counted)
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
        bundle = bundle_or_release(claims, self._bundles, self.consumer)
        if bundle is None:
            return []
        score = scorer(bundle)
        if any(claim.had_a_turn for claim in claims):
            score = in_short_calls(score, self.pace, self._serve_first)
        served, started = self._served_seconds, time.perf_counter()
        outcomes = score_or_release(self.consumer, score, claims)
        seconds = time.perf_counter() - started - (self._served_seconds - served)
        rows = sum(len(claim.rows) for claim in claims)
        self.pace.measured(rows, seconds)
        self._measurements.scored(claims, rows, seconds)
        return outcomes

    def _serve_first(self) -> None:
        """Serves what comes before the rest of a large list. If Redis pauses, its lease will end."""
        started = time.perf_counter()
        try:
            if claims := self.consumer.claim_first(self._name):
                with self._measurements.interrupted():
                    self._measurements.claimed()
                    outcomes = self._score_all(claims)
                    self._measurements.recorded(outcomes, self.consumer.record(outcomes))
        except StoreUnavailable as error:
            log.warning("store_unavailable", extra={"error": str(error)})
        self._served_seconds += time.perf_counter() - started


def in_short_calls(score: Score, pace: Pace, between: Callable[[], None]) -> Score:
    """Makes the function that scores with short calls, and calls `between` before each but the first."""

    def score_in_short_calls(rows: Sequence[Row]) -> list[bytes]:
        outputs: list[bytes] = []
        while len(outputs) < len(rows):
            if outputs:
                between()
            outputs += score(rows[len(outputs) : len(outputs) + pace.within(CALL_SECONDS)])
        return outputs

    return score_in_short_calls


def score_or_release(consumer: PredictionConsumer, score: Score, claims: Sequence[Claim]) -> list[Outcome]:
    """Scores claims of one bundle: all in one call, but lists on their last attempt row by row.

    Releases them, and returns nothing, if this process has not enough memory for a single row.
    """
    try:
        return _outcomes_of(consumer, score, claims)
    except MemoryError:
        log.error("out_of_memory", extra={"model": claims[0].model, "jobs": len(claims)})
        consumer.release(claims, orjson.dumps(OUT_OF_MEMORY))
        return []


def _outcomes_of(consumer: PredictionConsumer, score: Score, claims: Sequence[Claim]) -> list[Outcome]:
    together = [claim for claim in claims if not claim.row_by_row]
    outcomes = score_together(score, together) if together else []
    for claim in claims:
        if claim.row_by_row:
            outcomes.append(outcome_of(claim, _outputs_row_by_row(consumer, score, claim)))
    return outcomes


def _outputs_row_by_row(consumer: PredictionConsumer, score: Score, claim: Claim) -> list[bytes]:
    """Notes each row before it is scored: if the worker is lost then, that row is given up."""
    outputs = []
    for number, row in enumerate(claim.rows):
        if number in claim.given_up:
            outputs.append(GIVEN_UP)
            continue
        patiently(consumer.note_row, claim, number)
        try:
            outputs += outputs_of(score, [row])
        except MemoryError:  # on the last attempt it fails only this row
            outputs.append(orjson.dumps({"error": OUT_OF_MEMORY}))
    return outputs


def score_together(score: Score, claims: Sequence[Claim]) -> list[Outcome]:
    """Scores all claims in one call of the model. A bad row affects only itself."""
    outputs = outputs_of(score, [row for claim in claims for row in claim.rows])
    outcomes = []
    start = 0
    for claim in claims:
        end = start + len(claim.rows)
        outcomes.append(outcome_of(claim, outputs[start:end]))
        start = end
    return outcomes


def by_bundle(claims: Sequence[Claim]) -> list[list[Claim]]:
    """The claims of each bundle together."""
    groups: dict[str, list[Claim]] = {}
    for claim in claims:
        groups.setdefault(claim.sha256, []).append(claim)
    return list(groups.values())


def outputs_of(score: Score, rows: Sequence[Row]) -> list[bytes]:
    """The output of each row. If the call raises, halves are tried until the row that causes it is found.

    A lack of memory is no fault of a row: raises MemoryError if even a single one does not fit.
    """
    try:
        return score(rows)
    except (ScoringStopped, StoreUnavailable):
        raise
    except Exception as error:
        if len(rows) == 1:
            if is_out_of_memory(error):
                raise MemoryError from error
            # The message stays out of the log: it may hold values.
            log.warning("not_scored", extra={"error": type(error).__name__})
            return [NOT_SCORED]
    middle = len(rows) // 2
    return outputs_of(score, rows[:middle]) + outputs_of(score, rows[middle:])


def outcome_of(claim: Claim, outputs: Sequence[bytes]) -> Outcome:
    """The outcome of a job, from the outputs of its rows."""
    failed = sum(output.startswith(b'{"error"') for output in outputs)
    if not failed:
        text = b"[%b]" % b",".join(outputs) if claim.listed else outputs[0]
        return Outcome(claim, PredictionStatus.SUCCEEDED, text)
    if not claim.listed:
        return Outcome(claim, PredictionStatus.FAILED, error=orjson.dumps(orjson.loads(outputs[0])["error"]))
    all_failed = failed == len(outputs)
    status = PredictionStatus.FAILED if all_failed else PredictionStatus.PARTIALLY_SUCCEEDED
    return Outcome(claim, status, b"[%b]" % b",".join(outputs), ALL_FAILED if all_failed else b"")
