"""What a child measures while it works: its pace, and what it reports to metrics and log."""

import logging
import time
from collections import defaultdict, deque
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from jobs import ids
from jobs.ids import trace_fields
from jobs.logs import Journal
from jobs.metrics import (
    CHUNK_SECONDS,
    MICROBATCH_ROWS,
    QUEUE_SECONDS,
    RUN_SECONDS,
    Family,
    Metrics,
)
from jobs.predictions.consumer import Claim, Outcome
from worker.spans import ClaimSpans

log = logging.getLogger(__name__)

MOST_NOTED = 1_000
"""Samples kept at most; the heartbeat of the child flushes them every second."""

CLAIM_SECONDS = 0.5
"""How long the work of one claim should take: enough rows to share a call of the model, and soon over."""
FEWEST_ROWS, MOST_ROWS = 1, 20_000
_WEIGHT = 0.2
_REMEMBERED_SECONDS = 5
"""Over how many seconds of work the rate is averaged."""


class Pace:
    """Follows the measured rate, so that a claim of `rows` rows takes about `claim_seconds`."""

    def __init__(self, first_rows: int = 1_000, claim_seconds: float = CLAIM_SECONDS) -> None:
        self.rows = first_rows
        self._claim_seconds = claim_seconds
        self._seconds_per_row: float | None = None
        self._worked_seconds = 0.0
        self._worked_rows = 0.0

    def measured(self, rows: int, seconds: float) -> None:
        """One call of the model scored so many rows."""
        sample = seconds / rows
        known = self._seconds_per_row
        self._seconds_per_row = sample if known is None else known + _WEIGHT * (sample - known)
        self.rows = self.within(self._claim_seconds)

    def within(self, seconds: float) -> int:
        """How many rows one call scores in this time."""
        if self._seconds_per_row is None:
            return self.rows
        return max(FEWEST_ROWS, min(MOST_ROWS, int(seconds / max(self._seconds_per_row, 1e-9))))

    def worked(self, rows: int, seconds: float) -> None:
        """Notes how many rows were claimed, scored and recorded in this time."""
        kept = max(1 - seconds / _REMEMBERED_SECONDS, 0)
        self._worked_rows = self._worked_rows * kept + rows
        self._worked_seconds = self._worked_seconds * kept + seconds

    @property
    def rows_per_second(self) -> int:
        """0 before the first row."""
        return round(self._worked_rows / self._worked_seconds) if self._worked_seconds else 0


class Measurements:
    """Reports jobs to metrics and log, many at a time, which takes a third of the time.

    Waits are measured between the clock of web and the clock of this machine, and are wrong by as much as the
    two differ. Only one thread may add to them; any thread may flush them.
    """

    def __init__(self, metrics: Metrics, journal: Journal, spans: ClaimSpans | None = None) -> None:
        self._metrics = metrics
        self._journal = journal
        self._spans = spans
        self._claimed_at = time.time()
        self._noted: deque[tuple[Family, str, float]] = deque()

    def claimed(self) -> None:
        """Notes the time of the claim, for the jobs that are recorded next."""
        self._claimed_at = time.time()

    @contextmanager
    def interrupted(self) -> Iterator[None]:
        """What is claimed and recorded within is another claim than the one under way."""
        claimed_at = self._claimed_at
        yield
        self._claimed_at = claimed_at

    def scored(self, claims: Sequence[Claim], rows: int, seconds: float) -> None:
        model, ms = claims[0].model, round(seconds * 1000, 3)
        self._noted.append((MICROBATCH_ROWS, model, rows))
        self._journal.note("scored", [{"model": model, "jobs": len(claims), "rows": rows, "ms": ms}])
        if self._spans:
            self._spans.scored(claims, rows, seconds)

    def recorded(self, outcomes: Sequence[Outcome], counted: Sequence[Outcome]) -> None:
        """`counted` are the outcomes that were recorded; the others are stale."""
        if len(counted) < len(outcomes):
            log.warning("stale_result", extra={"jobs": len(outcomes) - len(counted)})
        claimed_ms = self._claimed_at * 1000
        ran_ms = max(round(time.time() * 1000 - claimed_ms, 3), 0)
        lines: list[dict[str, Any]] = [
            {
                "job_id": claim.id,
                "model": claim.model,
                "status": status,
                "attempt": claim.attempt,
                "waited_ms": max(round(claimed_ms - ids.created_ms(claim.id), 3), 0),
                "ran_ms": ran_ms,
                **trace_fields(claim.traceparent),
            }
            for claim, status, *_ in counted
        ]
        self._noted += [(QUEUE_SECONDS, line["model"], line["waited_ms"] / 1000) for line in lines]
        self._noted += [(RUN_SECONDS, line["model"], ran_ms / 1000) for line in lines]
        self._journal.note("recorded", lines)
        if self._spans:
            self._spans.recorded(counted, self._claimed_at)
        if len(self._noted) > MOST_NOTED:
            self.flush()

    def chunk_done(self, model: str, seconds: float) -> None:
        self._noted.append((CHUNK_SECONDS, model, seconds))

    def flush(self) -> None:
        """Adds the samples to the metrics, and writes the log."""
        samples: defaultdict[tuple[Family, str], list[float]] = defaultdict(list)
        while self._noted:
            family, model, value = self._noted.popleft()
            samples[family, model].append(value)
        for (family, model), values in samples.items():
            self._metrics.observe(family, values, model)
        self._journal.flush()
