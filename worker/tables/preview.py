"""The preview of a dry run: the first rows of a table are scored, and nothing else."""

import time
from collections.abc import Iterable
from typing import Any

import orjson

from jobs.batches.record import BatchOptions
from jobs.files.tables import Format
from model.bundle import Bundle
from worker.tables.plan import FIRST_ROWS, Layout
from worker.tables.read import Rows
from worker.tables.score import RowScorer, all_at_once
from worker.tables.write import write_errors

MOST_ERRORS = 20
EXPLAINED_ROWS = 100
"""Fewer than FIRST_ROWS are explained, because explaining takes long and the caller waits."""


def preview(blocks: Iterable[Rows], layout: Layout, total: int, bundle: Bundle, options: BatchOptions) -> Any:
    """The columns, the first errors, the number of rows, and how long one child would take to score them.

    `blocks` are the first rows of the `total`.
    """
    explain, of_csv = options.explain, layout.input is Format.CSV
    scorer = RowScorer.of(bundle, explain, options.missing)
    rows = failed = 0
    errors: list[Any] = []
    started = time.perf_counter()
    for block in blocks:
        if explain:
            block = block.first(EXPLAINED_ROWS)
        scores = scorer.score(block, all_at_once(0, block.number), of_csv)
        errors += [orjson.loads(line) for line in write_errors(scores, rows).splitlines()[:MOST_ERRORS]]
        rows, failed = rows + block.number, failed + len(scores.faults)
        if rows >= (EXPLAINED_ROWS if explain else FIRST_ROWS):
            break
    seconds = time.perf_counter() - started
    return {
        "columns": {"found": layout.names, "kept": layout.passthrough, "added": layout.scored},
        "rows": total,
        "looked_at": rows,
        "failed": failed,
        "errors": errors[:MOST_ERRORS],
        "estimate_seconds": round(seconds * total / rows, 3) if rows else None,
    }
