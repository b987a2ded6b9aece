"""The figures asked of Paygrade: all of them, and nowhere else."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Asked:
    """One figure: what it is, and its bound."""

    what: str
    sense: Literal["at least", "at most"]
    bound: float
    unit: str

    def is_met_by(self, measured: float) -> bool:
        """Whether a measured value is on the right side of the bound."""
        return measured >= self.bound if self.sense == "at least" else measured <= self.bound


ASKED = {
    "waited-128": Asked("posted and waited for, 128 connections", "at least", 0.9, "x (b)"),
    "waited-32": Asked("posted and waited for, 32 connections", "at least", 0.7, "x (b)"),
    "waited-1-p50": Asked("posted and waited for, 1 connection: p50", "at most", 4.0, "x (b)"),
    "wages-128": Asked("wages, waited for, 128 connections", "at least", 0.8, "x (b)"),
    "posted-128": Asked("posted only, 128 connections", "at least", 1.0, "x (b)"),
    "lists": Asked("lists of 1,000 rows, 8 connections", "at least", 100_000, "rows/s"),
    "waiting-bytes": Asked("Redis for each of 100,000 waiting jobs", "at most", 400, "bytes"),
    # Not slower: 0.95 leaves room for noise.
    "waiting-rate": Asked("posting with 100,000 jobs waiting", "at least", 0.95, "x with none"),
    "crowd-p99": Asked("p99 of a post with 2,000 callers waiting", "at most", 2.0, "x with none"),
    "worker-start": Asked("python -m worker: start to first job taken", "at most", 3.0, "s"),
    "web-start": Asked("python -m web: start to first answer", "at most", 1.5, "s"),
}
