"""The preview of a dry run: the first rows of a table are scored, and nothing else."""

import time
from typing import Any

import orjson

from jobs.batches.record import BatchOptions
from jobs.files.store import FileStore
from jobs.files.tables import Format
from model.bundle import Bundle
from model.tables.columns import ColumnCheck
from worker.tables.plan import FIRST_ROWS, Plan
from worker.tables.read import read_rows
from worker.tables.score import all_at_once, predict_with, score_rows, types_of
from worker.tables.write import write_errors

MOST_ERRORS = 20
EXPLAINED_ROWS = 100
"""Fewer than FIRST_ROWS are explained, because explaining takes long and the caller waits."""


def preview(
    files: FileStore, name: str, planned: Plan, bundle: Bundle, options: BatchOptions
) -> dict[str, Any]:
    """The columns, the first errors, the number of rows, and how long one child would take to score them."""
    layout, manifest, explain = planned.layout, bundle.manifest, options.explain
    predict, types = predict_with(bundle, explain), types_of(bundle, explain)
    schema = manifest.schema.with_missing(options.missing)
    check = ColumnCheck(schema, layout.input is Format.CSV, bundle.matrix_type)
    rows = failed = 0
    errors: list[Any] = []
    started = time.perf_counter()
    for block in read_rows(files, name, layout, manifest.schema.names, planned.chunks[0]):
        if explain:
            block = block.first(EXPLAINED_ROWS)
        scores = score_rows(check, predict, types, block, all_at_once(0, block.number))
        errors += [orjson.loads(line) for line in write_errors(scores, rows).splitlines()[:MOST_ERRORS]]
        rows, failed = rows + block.number, failed + len(scores.faults)
        if rows >= (EXPLAINED_ROWS if explain else FIRST_ROWS):
            break
    seconds = time.perf_counter() - started
    total = sum(chunk.rows for chunk in planned.chunks)
    return {
        "columns": {"found": layout.names, "kept": layout.passthrough, "added": layout.scored},
        "rows": total,
        "looked_at": rows,
        "failed": failed,
        "errors": errors[:MOST_ERRORS],
        "estimate_seconds": round(seconds * total / rows, 3) if rows else None,
    }
