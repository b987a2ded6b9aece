"""Once a minute the keeper logs what it sees, in a format from which CloudWatch makes metrics (EMF)."""

import logging
from collections.abc import Callable
from typing import Any

from jobs.keeper.state import Totals
from jobs.metrics import CHUNK_SECONDS, MICROBATCH_ROWS, SUM, Metrics
from jobs.queues.capacity import Memory
from web.keeper.keeper import RoundOutcome

log = logging.getLogger(__name__)

NAMESPACE = "Paygrade"
DIMENSION = "Deployment"
UNITS = {
    "JobsWaiting": "Count",
    "OldestSeconds": "Seconds",
    "Workers": "Count",
    "WorkersMissing": "Count",
    "JobsWithoutWorker": "Count",
    "KeeperRounds": "Count",
    "RowsPerSecond": "Count/Second",
    "StoreMemoryPercent": "Percent",
}
"""The unit of each metric. A metric costs 0.30 USD a month."""


def read_totals(metrics: Metrics) -> Totals:
    """What all workers have ever done, but for explanations. Raises StoreUnavailable."""
    samples = metrics.read()
    rows = sum(value for labels, value in samples.get(MICROBATCH_ROWS.name, {}).items() if labels[-1] == SUM)
    chunks, seconds = 0.0, 0.0
    for labels, value in samples.get(CHUNK_SECONDS.name, {}).items():
        if labels[-1] == SUM:
            seconds += value
        else:
            chunks += value
    return Totals(rows=rows, chunks=chunks, chunk_seconds=seconds)


class MinuteReport:
    """`memory` reads what Redis uses; `clock` gives the time since 1970."""

    def __init__(self, deployment: str, memory: Callable[[], Memory], clock: Callable[[], float]) -> None:
        self._deployment = deployment
        self._memory = memory
        self._clock = clock

    def __call__(self, outcome: RoundOutcome) -> None:
        """Raises StoreUnavailable."""
        values = measured(outcome, self._memory())
        log.info("workers", extra={**self._metadata(), DIMENSION: self._deployment, **values})

    def _metadata(self) -> dict[str, Any]:
        metrics = [{"Name": name, "Unit": unit} for name, unit in UNITS.items()]
        definition = {"Namespace": NAMESPACE, "Dimensions": [[DIMENSION]], "Metrics": metrics}
        return {"_aws": {"Timestamp": round(self._clock() * 1000), "CloudWatchMetrics": [definition]}}


def measured(outcome: RoundOutcome, memory: Memory) -> dict[str, float]:
    """The value of each metric."""
    capacity, services = outcome.capacity, outcome.services
    batches = capacity.batches
    counts = [services.on_demand, *([services.spot] if services.spot else [])]
    waiting = capacity.waiting + batches.waiting
    return {
        "JobsWaiting": waiting,
        "OldestSeconds": max(capacity.oldest_seconds, batches.oldest_seconds),
        "Workers": capacity.workers,
        "WorkersMissing": max(sum(count.desired for count in counts) - capacity.workers, 0),
        "JobsWithoutWorker": 0 if capacity.workers else waiting,
        "KeeperRounds": outcome.since_report.rounds,
        "RowsPerSecond": outcome.since_report.rows_per_second,
        "StoreMemoryPercent": round(100 * memory.used / memory.most, 1) if memory.most else 0,
    }
