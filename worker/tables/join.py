"""The files of results and errors as pieces, joined from the parts of chunks."""

from collections.abc import Iterable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

import orjson
import pyarrow as pa

from jobs.files.store import FileRange, FileStore
from jobs.files.tables import Format, read_exactly
from worker.tables.parquet_parts import END_BYTES, MAGIC, FooterJoiner, footer_length
from worker.tables.passthrough import escaped, quoted
from worker.tables.plan import Layout

ROW = b'{"row":'


Piece: TypeAlias = bytes | FileRange
"""Bytes, or where they are in the file store."""


class PartFile(NamedTuple):
    """A part, and the bytes that it must have."""

    name: str
    size: int


def result_pieces(
    files: FileStore, parts: Sequence[PartFile], layout: Layout, at: int = 0
) -> Iterator[Piece]:
    """The results from the byte `at` on; in CSV without parts, those of an empty table."""
    if layout.results is Format.PARQUET:
        return _parquet_pieces(files, parts, at)
    return _text_pieces(parts, _header(layout), at)


def _header(layout: Layout) -> bytes:
    if layout.results is not Format.CSV:
        return b""
    names = pa.array([name.encode() for name in (*layout.passthrough, *layout.scored)])
    return b",".join(quoted(escaped(names) if layout.escapes else names).to_pylist()) + b"\n"


def _text_pieces(parts: Iterable[PartFile], header: bytes, at: int) -> Iterator[Piece]:
    yield header[at:]
    at = max(at - len(header), 0)
    for part in parts:
        if at < part.size:
            yield FileRange(part.name, at, part.size)
        at = max(at - part.size, 0)


def _parquet_pieces(files: FileStore, parts: Iterable[PartFile], at: int) -> Iterator[Piece]:
    """The row groups of all parts, byte by byte as they are, and a footer that lists them."""
    joiner, moved, begin = FooterJoiner(), 0, 0  # the first part gives its MAGIC, too
    for part in parts:
        end = _add_footer(files, part, joiner, moved)
        yield FileRange(part.name, begin + at, end) if at < end - begin else b""
        at, moved, begin = max(at - (end - begin), 0), moved + end - len(MAGIC), len(MAGIC)
    yield joiner.end()[at:]


def _add_footer(files: FileStore, part: PartFile, joiner: FooterJoiner, moved: int) -> int:
    """Adds the footer of the part to the joined one. Returns where its data end."""
    with files.open(part.name) as file:
        end = part.size - END_BYTES
        begin = end - footer_length(read_exactly(file, end, part.size))
        joiner.add(read_exactly(file, begin, end), moved)
        return begin


class MissingRows(NamedTuple):
    """Rows of the input that were not scored: the number of the first, and how many, or 0 for all others."""

    first: int
    rows: int

    def to_json(self) -> bytes:
        """A line of the errors. As people read it, rows count from 1."""
        first, last = self.first + 1, self.first + self.rows
        which = f"rows {first} to {last} were"
        if not self.rows:
            which = f"the rows from {first} on were"
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
        for lines in _complete_lines(files.read_range(FileRange(part.name, 0, part.size))):
            yield b"".join(_renumbered(line, first) for line in lines)


def _complete_lines(pieces: Iterable[bytes]) -> Iterator[list[bytes]]:
    rest = b""
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        yield lines


def _renumbered(line: bytes, first: int) -> bytes:
    row, comma, rest = line[len(ROW) :].partition(b",")
    return b"%b%d%b%b\n" % (ROW, int(row) + first, comma, rest)
