"""Mends the part of a chunk: rows that were scored keep their lines, the others are scored again."""

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from typing import Any, NamedTuple

import orjson
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet

from jobs.batches.tasks import ChunkDone
from jobs.errors import FileMissing
from jobs.files.store import FileStore
from jobs.files.tables import Format
from worker.limits import is_out_of_memory
from worker.tables.plan import Layout
from worker.tables.read import Rows, rows_of_objects
from worker.tables.score import Scores, Slice, Slices
from worker.tables.write import PartWriter, parquet_table, row_starts, text_rows

KEPT = "kept"
_FIELD = rb'(?:"(?:[^"]|"")*"|[^,"\r\n]*)'

ScoreRows = Callable[[Rows, Iterable[Slice], bool], Scores]
"""Scores rows; the last argument says whether they are corrected ones, which come as JSON."""


class PartDiffers(Exception):
    """What was kept of a chunk does not fit its rows: another file, or a damaged part."""


class Mend(NamedTuple):
    """How a chunk is mended: the rows that `failed` and the old `part`, both None if nothing is kept; and the
    corrected inputs, by row. Rows count from 0 in the chunk.
    """

    failed: frozenset[int] | None
    part: bytes | None
    corrected: Mapping[int, bytes]

    def everything(self) -> "Mend":
        """Scores every row."""
        return Mend(None, None, self.corrected)

    def scores(self, rows: Rows, first: int, slices: Slices, score: ScoreRows) -> Scores:
        """The scores of a block whose first row is `first`; rows that are kept have a fault instead."""
        corrected = [row for row in range(rows.number) if first + row in self.corrected]
        scores = score(rows, self._slices(slices, first, rows.number), False)
        if corrected:
            again = rows_of_objects([self.corrected[first + row] for row in corrected], tuple(rows.features))
            mended = score(again, _one_by_one(slices, [first + row for row in corrected]), True)
            scores = _with(scores, corrected, mended)
        return scores

    def without_kept(self, scores: Scores, first: int) -> Scores:
        """The scores without the faults that stand for rows that are kept."""
        faults = {row: found for row, found in scores.faults.items() if not self.is_kept(first + row)}
        return scores._replace(faults=faults)

    def is_kept(self, row: int) -> bool:
        return self.failed is not None and row not in self.failed

    def _slices(self, slices: Slices, first: int, number: int) -> Iterator[Slice]:
        """Leaves out rows that are kept, and those that are scored with a corrected input."""

        def is_scored(row: int) -> bool:
            return not self.is_kept(first + row) and first + row not in self.corrected

        for piece in slices(first, number):
            for scored, run in groupby(piece.rows, is_scored):
                rows = list(run)
                yield Slice(range(rows[0], rows[-1] + 1), piece.given_up if scored else KEPT)


def _one_by_one(slices: Slices, rows: Iterable[int]) -> Iterator[Slice]:
    for index, row in enumerate(rows):
        for piece in slices(row, 1):
            yield piece._replace(rows=range(index, index + 1))


def _with(scores: Scores, rows: list[int], mended: Scores) -> Scores:
    for name, column in scores.columns.items():
        column[rows] = mended.columns[name]
    faults = {row: found for row, found in scores.faults.items() if row not in set(rows)}
    faults |= {rows[index]: found for index, found in mended.faults.items()}
    if scores.warnings is None or mended.warnings is None:
        return scores._replace(faults=faults)
    warnings: list[Any] = scores.warnings.to_pylist()
    for row, warning in zip(rows, mended.warnings.to_pylist(), strict=True):
        warnings[row] = warning
    return scores._replace(faults=faults, warnings=pa.array(warnings, pa.string()))


class OldLines:
    """The lines of an old part, from which those that are kept are taken, block by block."""

    def __init__(self, layout: Layout, mend: Mend) -> None:
        self._layout = layout
        self._mend = mend
        self._part = mend.part or b""
        self._at = 0
        self._end = re.compile(
            rb"(?:" + _FIELD + rb",){%d}" % (len(layout.scored) - 1) + _FIELD + rb"\n"
            if layout.results is Format.CSV
            else rb"[^\n]*\n"
        )

    def write(self, writer: PartWriter, rows: Rows, scores: Scores, first: int) -> None:
        """Raises PartDiffers unless each line of the part begins as its row does."""
        writer.write_text(self._mended(rows, scores, first))

    def _mended(self, rows: Rows, scores: Scores, first: int) -> bytes:
        new = text_rows(self._layout, rows, scores)
        if self._mend.part is None:
            return b"".join(new)
        lines = []
        for row, (start, line) in enumerate(zip(row_starts(self._layout, rows), new, strict=True)):
            old = self._next(start)
            lines.append(old if self._mend.is_kept(first + row) else line)
        return b"".join(lines)

    def check_end(self) -> None:
        if self._at != len(self._part):
            raise PartDiffers

    def _next(self, start: bytes) -> bytes:
        found = self._end.match(self._part, self._at + len(start))
        if not found or not self._part.startswith(start, self._at):
            raise PartDiffers
        line = self._part[self._at : found.end()]
        self._at = found.end()
        return line


class OldTable:
    """The rows of an old part in Parquet, likewise."""

    def __init__(self, layout: Layout, mend: Mend) -> None:
        self._layout = layout
        self._mend = mend
        self._table = None if mend.part is None else _read_table(mend.part)
        self._at = 0

    def write(self, writer: PartWriter, rows: Rows, scores: Scores, first: int) -> None:
        """Raises PartDiffers unless the columns that are passed through are the same."""
        writer.write_table(self._mended(rows, scores, first))

    def _mended(self, rows: Rows, scores: Scores, first: int) -> pa.Table:
        new = parquet_table(self._layout, rows, scores)
        if self._table is None:
            return new
        old = self._table.slice(self._at, rows.number)
        self._at += rows.number
        passed = [name for name in new.schema.names if name not in self._layout.scored]
        if old.schema != new.schema or not old.select(passed).equals(new.select(passed)):
            raise PartDiffers
        kept = pa.array([self._mend.is_kept(first + row) for row in range(rows.number)])
        columns = {
            name: pc.if_else(kept, old[name], new[name]) if name in self._layout.scored else new[name]
            for name in new.schema.names
        }
        return pa.table(columns, schema=new.schema)

    def check_end(self) -> None:
        if self._table is not None and self._at != self._table.num_rows:
            raise PartDiffers


def _read_table(part: bytes) -> pa.Table:
    try:
        return pyarrow.parquet.read_table(pa.BufferReader(part))
    except (pa.ArrowException, OSError) as error:
        if is_out_of_memory(error):
            raise
        raise PartDiffers from error


def old_part(layout: Layout, mend: Mend) -> OldLines | OldTable:
    """Raises PartDiffers if the old part cannot be read."""
    return (OldTable if layout.results is Format.PARQUET else OldLines)(layout, mend)


def read_mend(files: FileStore, old: str, kept: ChunkDone, corrected: Mapping[int, bytes]) -> Mend:
    """How to mend a chunk whose old part has this name. Raises PartDiffers."""
    part, errors = files.read(old), files.read(f"{old}.errors")
    try:
        failed = frozenset(orjson.loads(line)["row"] for line in errors.splitlines())
    except (ValueError, TypeError, KeyError) as error:
        raise PartDiffers from error
    if (len(part), len(errors), len(failed)) != (kept.size, kept.errors_size, kept.failed):
        raise PartDiffers
    return Mend(failed, part, corrected)


def read_corrected(files: FileStore, name: str) -> dict[int, bytes]:
    """The corrected inputs of a chunk, as JSON, by row; none if there is no such file."""
    try:
        lines = [orjson.loads(line) for line in files.read(name).splitlines()]
    except FileMissing:
        return {}
    return {line["row"]: orjson.dumps(line["input"]) for line in lines}
