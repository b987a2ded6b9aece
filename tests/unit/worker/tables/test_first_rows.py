"""The first rows of results in Parquet, as NDJSON."""

import io
import math
from decimal import Decimal
from typing import Any

import orjson
import pyarrow as pa
import pyarrow.parquet

from jobs.files.tables import MOST_FIRST_BYTES
from worker.tables.first_rows import MOST_ROWS, first_rows


def lines_of(columns: dict[str, Any]) -> list[bytes]:
    written = io.BytesIO()
    pyarrow.parquet.write_table(pa.table(columns), written)
    return first_rows(io.BytesIO(written.getvalue())).splitlines()  # type: ignore[arg-type]


def test_values_are_as_in_results_of_ndjson() -> None:
    columns = {
        "id": [Decimal("1.10")],
        "raw": [b"\xff"],
        "tags": [["a"]],
        "prediction": pa.array([260.00012], pa.float32()),
        "error": pa.array([None], pa.string()),
        "x": [math.nan],
    }
    [line] = lines_of(columns)
    assert orjson.loads(line) == {
        "id": 1.1,
        "raw": "base64:/w==",
        "tags": ["a"],
        "prediction": 260.00012,
        "error": None,
        "x": None,
    }


def test_there_are_only_so_many() -> None:
    assert len(lines_of({"a": list(range(MOST_ROWS + 7))})) == MOST_ROWS


def test_they_are_whole_lines_of_only_so_many_bytes() -> None:
    lines = lines_of({"a": ["x" * 10_000] * 100})
    assert len(lines) == MOST_FIRST_BYTES // 10_009
    assert lines_of({"a": ["x" * MOST_FIRST_BYTES]}) == []


def test_what_cannot_be_shown_is_left_out() -> None:
    broken = pa.array([[b"\xff"]], pa.list_(pa.binary())).cast(pa.list_(pa.string()), safe=False)
    assert lines_of({"a": broken}) == []
