"""What is measured, in this order; each scenario starts and ends its own servers."""

from collections.abc import Callable

from benchmarks.scenarios import (
    batch_life,
    batches,
    correct,
    crowd,
    explanations,
    fairness,
    files,
    lists,
    numeric,
    pipelines,
    posted,
    scale,
    starts,
    sustained,
    wages,
    waited,
    waiting,
)
from benchmarks.session import Session

SCENARIOS: dict[str, Callable[[Session], None]] = {
    "correct": correct.measure,
    "waited": waited.measure,
    "wages": wages.measure,
    "numeric": numeric.measure,
    "explanations": explanations.measure,
    "posted": posted.measure,
    "lists": lists.measure,
    "waiting": waiting.measure,
    "crowd": crowd.measure,
    "fairness": fairness.measure,
    "starts": starts.measure,
    "batches": batches.measure,
    "files": files.measure,
    "pipelines": pipelines.measure,
    "batch-life": batch_life.measure,
    "scale": scale.measure,
    "sustained": sustained.measure,
}
ON_DEMAND = {"scale", "files", "sustained"}
"""Measured only where they are named."""
