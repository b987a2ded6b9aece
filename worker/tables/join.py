"""The files of results and errors as pieces, joined from the parts of chunks."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple

import orjson
import pyarrow as pa
import pyarrow.parquet

from jobs.errors import FilesUnavailable
from jobs.files.store import FileStore
from jobs.files.tables import Format
from worker.tables.passthrough import escaped, quoted
from worker.tables.plan import Layout
from worker.tables.write import parquet_writer

ROW = b'{"row":'


class PartFile(NamedTuple):
    """A part, and the bytes that it must have."""

    name: str
    size: int


def result_pieces(
    files: FileStore, parts: Sequence[PartFile], layout: Layout, at: int = 0
) -> Iterator[bytes]:
    """The results from the byte `at` on; without parts, those of an empty table.

    Results in Parquet start at their beginning, unless there are any: then they are complete.
    """
    if layout.results is Format.PARQUET:
        return iter(()) if at else _parquet_pieces(files, parts)
    return _text_pieces(files, parts, _header(layout), at)


def _header(layout: Layout) -> bytes:
    if layout.results is not Format.CSV:
        return b""
    names = pa.array([name.encode() for name in (*layout.passthrough, *layout.scored)])
    return b",".join(quoted(escaped(names) if layout.escapes else names).to_pylist()) + b"\n"


def _text_pieces(files: FileStore, parts: Iterable[PartFile], header: bytes, at: int) -> Iterator[bytes]:
    yield header[at:]
    at = max(at - len(header), 0)
    for part in parts:
        if at < part.size:
            yield from _whole(files, part, at)
        at = max(at - part.size, 0)


def _whole(files: FileStore, part: PartFile, start: int = 0) -> Iterator[bytes]:
    """Raises FilesUnavailable if the part has another size by now."""
    left = part.size - start
    for piece in files.pieces(part.name, start):
        left -= len(piece)
        yield piece
    if left:
        raise FilesUnavailable("a part was changed while the parts were joined")


class _Pieces:
    """Gathers what is written until it is taken."""

    def __init__(self) -> None:
        self._written: list[bytes] = []

    def write(self, data: bytes | memoryview) -> None:
        self._written.append(bytes(data))

    def take(self) -> bytes:
        taken = b"".join(self._written)
        self._written.clear()
        return taken


def _parquet_pieces(files: FileStore, parts: Iterable[PartFile]) -> Iterator[bytes]:
    writer, written = None, _Pieces()
    for part in parts:
        with files.open(part.name) as source:
            table = pyarrow.parquet.ParquetFile(source, pre_buffer=False)
            writer = writer or parquet_writer(written, table.schema_arrow)
            for group in range(table.num_row_groups):
                writer.write_table(table.read_row_group(group, use_threads=False))
                yield written.take()
    if writer:
        writer.close()
    yield written.take()


class MissingRows(NamedTuple):
    """Rows of the input that were not scored: the number of the first, and how many, or 0 for all others."""

    first: int
    rows: int

    def to_json(self) -> bytes:
        """A line of the errors."""
        last = self.first + self.rows - 1
        which = f"rows {self.first} to {last} were"
        if not self.rows:
            which = f"the rows from {self.first} on were"
        elif self.rows == 1:
            which = f"row {last} was"
        pronoun = "it" if self.rows == 1 else "them"
        errors = [{"pointer": "", "detail": f"{which} not scored; the results leave {pronoun} out"}]
        return orjson.dumps({"row": self.first, "errors": errors}) + b"\n"


def error_pieces(
    files: FileStore, parts: Iterable[tuple[PartFile, int] | MissingRows], at: int = 0
) -> Iterator[bytes]:
    """The errors from the byte `at` on.

    Each part is given with the number of its first row in the table; within a part rows count from 0.
    """
    for piece in _all_error_pieces(files, parts):
        yield piece[at:]
        at = max(at - len(piece), 0)


def _all_error_pieces(
    files: FileStore, parts: Iterable[tuple[PartFile, int] | MissingRows]
) -> Iterator[bytes]:
    for part_or_gap in parts:
        if isinstance(part_or_gap, MissingRows):
            yield part_or_gap.to_json()
            continue
        part, first = part_or_gap
        for lines in _complete_lines(_whole(files, part)):
            yield b"".join(_renumbered(line, first) for line in lines)


def _complete_lines(pieces: Iterable[bytes]) -> Iterator[list[bytes]]:
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        yield lines


def _renumbered(line: bytes, first: int) -> bytes:
    row, comma, rest = line[len(ROW) :].partition(b",")
    return b"%b%d%b%b\n" % (ROW, int(row) + first, comma, rest)
