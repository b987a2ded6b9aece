"""The first rows of results in Parquet, as lines of JSON that a person or any program can read."""

from collections.abc import Iterator
from io import RawIOBase

import pyarrow as pa
import pyarrow.parquet

from jobs.errors import InvalidTable
from jobs.files.tables import MOST_FIRST_BYTES
from worker.tables.passthrough import ArrowColumns

MOST_ROWS = 1_000
_AT_ONCE = 50
"""Few, since a row may be long."""


def first_rows(part: RawIOBase) -> bytes:
    """Whole lines; empty if the first row alone is too long."""
    lines = bytearray()
    for number, line in enumerate(_lines(part)):
        if number == MOST_ROWS or len(lines) + len(line) > MOST_FIRST_BYTES:
            break
        lines += line
    return bytes(lines)


def _lines(part: RawIOBase) -> Iterator[bytes]:
    table = pyarrow.parquet.ParquetFile(part, pre_buffer=False)
    for rows in table.iter_batches(batch_size=_AT_ONCE):
        columns = ArrowColumns(dict(zip(rows.schema.names, map(_shortest, rows.columns), strict=True)))
        try:
            yield from (b"%b}\n" % row for row in columns.objects())
        except InvalidTable:  # a text that is none: the results have it, as it came
            return


def _shortest(column: pa.Array) -> pa.Array:
    """Scores of float32 with the digits that they have as text, and no more."""
    return column.cast(pa.string()).cast(pa.float64()) if pa.types.is_float32(column.type) else column
