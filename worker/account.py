"""What a child tells of its work: to the metrics, and to the log."""

import logging
import time
from collections import defaultdict
from collections.abc import Sequence
from typing import Any

from jobs import ids
from jobs.logs import Journal
from jobs.metrics import MICROBATCH_ROWS, QUEUE_SECONDS, RUN_SECONDS, Metrics
from jobs.predictions.consumer import Claim, Outcome

log = logging.getLogger(__name__)

TELLS_EVERY_SECONDS = 0.1


class Account:
    """Times are this machine's, and those of the posts web's: they agree as far as their clocks do.

    It is told a little later, many at once, which costs each a third. An account is for one thread.
    """

    def __init__(self, metrics: Metrics, journal: Journal) -> None:
        self._metrics = metrics
        self._journal = journal
        self._claimed = time.time()
        self._told = time.monotonic()
        self._calls: list[tuple[str, int]] = []
        self._recorded: list[dict[str, Any]] = []

    def claimed(self) -> None:
        """What is scored and recorded from now on was claimed now."""
        self._claimed = time.time()

    def scored(self, claims: Sequence[Claim], rows: int, seconds: float) -> None:
        model, ms = claims[0].model, round(seconds * 1000, 3)
        self._calls.append((model, rows))
        self._journal.note("scored", [{"model": model, "jobs": len(claims), "rows": rows, "ms": ms}])

    def recorded(self, outcomes: Sequence[Outcome], counted: Sequence[Outcome]) -> None:
        """`counted` are those of the outcomes that the record took."""
        if len(counted) < len(outcomes):
            log.warning("outdated", extra={"jobs": len(outcomes) - len(counted)})
        claimed_ms = self._claimed * 1000
        ran_ms = max(round(time.time() * 1000 - claimed_ms, 3), 0)
        lines = [
            {
                "job_id": claim.id,
                "model": claim.model,
                "status": status,
                "attempt": claim.attempt,
                "waited_ms": max(round(claimed_ms - ids.created_ms(claim.id), 3), 0),
                "ran_ms": ran_ms,
            }
            for claim, status, *_ in counted
        ]
        self._recorded += lines
        self._journal.note("recorded", lines)
        if time.monotonic() - self._told > TELLS_EVERY_SECONDS:
            self.tell()

    def tell(self) -> None:
        """Counts and writes down what has not been told yet."""
        self._told = time.monotonic()
        calls, self._calls = self._calls, []
        recorded, self._recorded = self._recorded, []
        for model, rows in calls:
            self._metrics.observe(MICROBATCH_ROWS, [rows], model)
        for key, family in (("waited_ms", QUEUE_SECONDS), ("ran_ms", RUN_SECONDS)):
            seconds: defaultdict[str, list[float]] = defaultdict(list)
            for line in recorded:
                seconds[line["model"]].append(line[key] / 1000)
            for model, those in seconds.items():
                self._metrics.observe(family, those, model)
        self._journal.flush()
