"""All figures that Paygrade is to reach. They are defined only here."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True)
class Target:
    """One figure: what it is, and its bound."""

    what: str
    sense: Literal["at least", "at most"]
    bound: float
    unit: str

    def is_met_by(self, measured: float) -> bool:
        """Whether a measured value is on the right side of the bound."""
        return measured >= self.bound if self.sense == "at least" else measured <= self.bound


TARGETS = {
    "waited-128": Target("posted and waited for, 128 connections", "at least", 0.9, "x (b)"),
    "waited-32": Target("posted and waited for, 32 connections", "at least", 0.7, "x (b)"),
    "waited-1-p50": Target("posted and waited for, 1 connection: p50", "at most", 4.0, "x (b)"),
    "real-128": Target("500 trees of depth 6, 30 features, 128 connections", "at least", 1.7, "x (b)"),
    "real-32": Target("the same, 32 connections", "at least", 1.3, "x (b)"),
    "real-1-p50": Target("the same, 1 connection: p50", "at most", 2.0, "x (b)"),
    "wide-128": Target("100 trees of depth 6, 500 features, 128 connections", "at least", 1.0, "x (b)"),
    "wide-32": Target("the same, 32 connections", "at least", 1.0, "x (b)"),
    "wide-1-p50": Target("the same, 1 connection: p50", "at most", 2.0, "x (b)"),
    "wages-128": Target("wages, waited for, 128 connections", "at least", 0.8, "x (b)"),
    "explained": Target("wages, explained, lists of 100, 8 connections", "at least", 0.8, "x (b)"),
    "explained-p99": Target("p99 of a prediction beside explained ones", "at most", 3.0, "x without"),
    "posted-128": Target("posted only, 128 connections", "at least", 1.0, "x (b)"),
    "lists": Target("lists of 1,000 rows, 8 connections", "at least", 100_000, "rows/s"),
    "waiting-bytes": Target("Redis for each of 100,000 waiting jobs", "at most", 400, "bytes"),
    # Not slower: 0.95 leaves room for noise.
    "waiting-rate": Target("posting with 100,000 jobs waiting", "at least", 0.95, "x with none"),
    "crowd-p99": Target("p99 of a post with 2,000 callers waiting", "at most", 2.0, "x with none"),
    "fair-row-p50": Target("a row beside another key's flood: p50", "at most", 2.0, "x without"),
    "fair-row-p99": Target("the same: p99", "at most", 2.0, "x without"),
    "fair-batch-p50": Target("a batch of a row beside it: p50", "at most", 2.0, "x without"),
    "fair-batch-p99": Target("the same: p99", "at most", 2.0, "x without"),
    "sustained-rate": Target("ten times the retention: rate", "at least", 0.8, "x the highest"),
    "sustained-growth": Target("the same: bytes of a key in the last", "at most", 1.03, "x the second"),
    "sustained-full": Target("the same: memory at most", "at most", 70, "% of maxmemory"),
    "worker-start": Target("python -m worker: start to first job taken", "at most", 3.0, "s"),
    "web-start": Target("python -m web: start to first answer", "at most", 1.5, "s"),
    "batch-csv-small": Target("5M rows of CSV, 100 trees of depth 3", "at least", 0.7, "x ceiling"),
    "batch-csv-small-pandas": Target("the same", "at least", 2.0, "x pandas and DMatrix"),
    "batch-csv-large": Target("5M rows of CSV, 300 trees of depth 6", "at least", 0.7, "x ceiling"),
    "batch-csv-large-pandas": Target("the same", "at least", 2.0, "x pandas and DMatrix"),
    "batch-parquet-small": Target("5M rows of Parquet, 100 trees of depth 3", "at least", 0.7, "x ceiling"),
    "batch-parquet-small-pandas": Target("the same", "at least", 2.0, "x pandas and DMatrix"),
    "batch-parquet-large": Target("5M rows of Parquet, 300 trees of depth 6", "at least", 0.7, "x ceiling"),
    "batch-parquet-large-pandas": Target("the same", "at least", 2.0, "x pandas and DMatrix"),
    "pipeline-csv": Target("1M rows of CSV, a pipeline", "at least", 2.0, "x pandas and pipeline"),
    "pipeline-parquet": Target("1M rows of Parquet, a pipeline", "at least", 2.0, "x pandas and pipeline"),
    "pipeline-row": Target(
        "a pipeline's row, waited for, 1 connection: p50", "at most", 1.3, "x its booster"
    ),
    "batch-worker-memory": Target("a worker process, 20 million rows", "at most", 500, "MiB"),
    "batch-web-memory": Target("a web process, 20 million rows", "at most", 200, "MiB"),
    "batch-memory-growth": Target("memory for 20 million rows", "at most", 1.2, "x that for 1 million"),
    "batch-beside-p99": Target("p99 of a prediction beside a batch", "at most", 3.0, "x without"),
    "batch-first-rows": Target("first rows scored after the upload's end", "at most", 2.0, "s"),
    "batch-cancel": Target("cancel takes hold", "at most", 2.0, "s"),
    "small-batches": Target("1,000 batches of 100 rows at once", "at least", 5_000, "rows/s"),
}
