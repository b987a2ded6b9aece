"""What a child tells of its work: to the metrics, and to the log."""

import logging
import time
from collections import defaultdict
from collections.abc import Sequence

from jobs import ids
from jobs.line import Claim, Outcome
from jobs.logs import Journal
from jobs.metrics import MICROBATCH_ROWS, QUEUE_SECONDS, RUN_SECONDS, Metrics

log = logging.getLogger(__name__)


class Account:
    """Times are this machine's, and those of the posts web's: they agree as far as their clocks do."""

    def __init__(self, metrics: Metrics, journal: Journal) -> None:
        self._metrics = metrics
        self._journal = journal
        self._claimed = time.time()

    def claimed(self) -> None:
        """What is scored and recorded from now on was claimed now."""
        self._claimed = time.time()

    def scored(self, claims: Sequence[Claim], rows: int, seconds: float) -> None:
        model = claims[0].model
        self._metrics.observe(MICROBATCH_ROWS, [rows], model)
        line = {"model": model, "jobs": len(claims), "rows": rows, "ms": round(seconds * 1000, 3)}
        self._journal.note("scored", [line])

    def recorded(self, outcomes: Sequence[Outcome], counted: Sequence[Outcome]) -> None:
        """`counted` are those of the outcomes that the record took."""
        if len(counted) < len(outcomes):
            log.warning("outdated", extra={"jobs": len(outcomes) - len(counted)})
        claimed_ms, ran = self._claimed * 1000, max(time.time() - self._claimed, 0)
        ran_ms = round(ran * 1000, 3)
        lines = []
        waits: defaultdict[str, list[float]] = defaultdict(list)
        for claim, status, *_ in counted:
            waited_ms = max(round(claimed_ms - ids.created_ms(claim.id), 3), 0)
            lines.append(
                {
                    "job_id": claim.id,
                    "model": claim.model,
                    "status": status,
                    "attempt": claim.attempt,
                    "waited_ms": waited_ms,
                    "ran_ms": ran_ms,
                }
            )
            waits[claim.model].append(waited_ms / 1000)
        for model, waited in waits.items():
            self._metrics.observe(QUEUE_SECONDS, waited, model)
            self._metrics.observe(RUN_SECONDS, [ran] * len(waited), model)
        self._journal.note("recorded", lines)
