"""Joins the parts of a table to one file: its results, or its errors, in the order of the rows."""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

import orjson
import pyarrow.parquet

from jobs.files.store import FileStore, Writable
from jobs.files.tables import Format
from worker.tables.layout import Layout
from worker.tables.passthrough import quote
from worker.tables.write import parquet_writer

ROW = b'{"row":'


def join_results(
    files: FileStore, parts: Sequence[str], layout: Layout, output: FileStore, result: str
) -> None:
    """Writes the file `result`; without parts, the results of an empty table."""
    with output.create(result) as file:
        if layout.results is Format.PARQUET:
            _join_parquet(files, parts, file)
            return
        if layout.results is Format.CSV:
            names = [quote(name.encode()) for name in (*layout.passthrough, *layout.scored)]
            file.write(b",".join(names) + b"\n")
        for part in parts:
            for piece in files.pieces(part):
                file.write(piece)


class MissingRows(NamedTuple):
    """A range of rows of the input that were not scored: the number of the first, and how many."""

    first: int
    rows: int

    def to_json(self) -> bytes:
        """A line of the errors."""
        last = self.first + self.rows - 1
        which = f"row {last} was" if self.rows == 1 else f"rows {self.first} to {last} were"
        pronoun = "it" if self.rows == 1 else "them"
        errors = [{"pointer": "", "detail": f"{which} not scored; the results leave {pronoun} out"}]
        return orjson.dumps({"row": self.first, "errors": errors}) + b"\n"


def join_errors(
    files: FileStore, parts: Sequence[tuple[str, int] | MissingRows], output: FileStore, errors: str
) -> None:
    """Each part is given with the number of its first row in the table; within a part rows count from 0."""
    with output.create(errors) as file:
        for part_or_gap in parts:
            if isinstance(part_or_gap, MissingRows):
                file.write(part_or_gap.to_json())
                continue
            part, first = part_or_gap
            if not first:
                for piece in files.pieces(part):
                    file.write(piece)
                continue
            for lines in _complete_lines(files.pieces(part)):
                file.write(b"".join(_renumbered(line, first) for line in lines))


def _join_parquet(files: FileStore, parts: Sequence[str], file: Writable) -> None:
    writer = None
    for part in parts:
        with files.open(part) as source:
            table = pyarrow.parquet.ParquetFile(source, pre_buffer=False)
            writer = writer or parquet_writer(file, table.schema_arrow)
            for group in range(table.num_row_groups):
                writer.write_table(table.read_row_group(group, use_threads=False))
    if writer:
        writer.close()


def _complete_lines(pieces: Iterator[bytes]) -> Iterator[list[bytes]]:
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        yield lines


def _renumbered(line: bytes, first: int) -> bytes:
    row, comma, rest = line[len(ROW) :].partition(b",")
    return b"%b%d%b%b\n" % (ROW, int(row) + first, comma, rest)
