"""A look at the first rows of a table, before anybody scores all of it."""

import time
from typing import Any

import orjson

from jobs.files import Files
from jobs.tables import Format
from model.bundle import Bundle
from model.columns import ColumnCheck
from worker.tables.columns import names_of, predict_with
from worker.tables.plan import FIRST_ROWS, Plan
from worker.tables.read import read_rows
from worker.tables.score import score_rows
from worker.tables.write import write_errors

MOST_FAULTS = 20


def preview(files: Files, name: str, planned: Plan, bundle: Bundle) -> dict[str, Any]:
    """The columns, the first faults, how many rows there are, and how long one child would need for them."""
    layout, features = planned.layout, bundle.manifest.schema.names
    check = ColumnCheck(bundle.manifest.schema, empty_is_null=layout.input is Format.CSV)
    rows = failed = 0
    faults: list[Any] = []
    started = time.perf_counter()
    for some in read_rows(files, name, layout, features, planned.chunks[0]):
        scores = score_rows(check, predict_with(bundle), names_of(bundle), some)
        faults += [orjson.loads(line) for line in write_errors(scores, rows).splitlines()[:MOST_FAULTS]]
        rows, failed = rows + some.number, failed + len(scores.faults)
        if rows >= FIRST_ROWS:
            break
    seconds = time.perf_counter() - started
    total = sum(chunk.rows for chunk in planned.chunks)
    return {
        "columns": {"found": layout.names, "kept": layout.kept, "added": layout.scored},
        "rows": total,
        "looked_at": rows,
        "failed": failed,
        "errors": faults[:MOST_FAULTS],
        "estimate_seconds": round(seconds * total / rows, 3) if rows else None,
    }
