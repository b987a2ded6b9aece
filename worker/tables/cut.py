"""Cuts a table into chunks: lines after complete records, Parquet by its row groups."""

from collections.abc import Iterator
from io import RawIOBase
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from jobs.errors import InvalidTable
from jobs.files.tables import LONGEST_RECORD, field_pattern, read_exactly


class Chunk(NamedTuple):
    """The bytes from start to end of a file; of Parquet, the rows from start to end of a row group."""

    start: int
    end: int
    group: int = 0
    rows: int = 0
    """As counted before the chunk is parsed; blank lines and quoted line ends count too."""
    size: int = 0
    """In bytes."""

    def to_text(self) -> str:
        return ":".join(map(str, self))

    @classmethod
    def from_text(cls, text: str) -> "Chunk":
        return cls(*map(int, text.split(":")))


CHUNK = 8 * 1024 * 1024
"""About how many bytes a chunk has."""
MOST_ROWS = 131_072
"""Rows of a chunk of lines at most: what is computed for a row takes more memory than a short line."""
EXPLAINED_COSTS = 64
"""Explaining a row takes about so many times as long as scoring it."""
EXPLAINED_CHUNK = CHUNK // EXPLAINED_COSTS
LAST_GROUP_CHUNKS = 4
"""The last row group is cut into so many chunks, so that the consumers of a file finish together."""

QUOTE = b'"'
LINE_END = ord("\n")


def cut_lines(
    file: RawIOBase, start: int, size: int, delimiter: str = "", chunk: int = CHUNK, most: int = MOST_ROWS
) -> Iterator[Chunk]:
    """Cuts after line ends; with the `delimiter` of CSV, never within a quoted field.

    A chunk has about `chunk` bytes, and at most `most` rows.
    Raises InvalidTable with the line of a record that is too long, or whose quote is never closed.
    """
    while start < size:
        reach, length = chunk, 0
        while not length:
            block = read_exactly(file, start, min(start + reach, size))
            length = _last_record_end(block, delimiter)
            if start + len(block) == size:
                if delimiter and not _ends_outside_quotes(block, length, delimiter):
                    raise _endless_record(file, start + length)
                length = len(block)
            elif not length and reach > LONGEST_RECORD:
                raise _endless_record(file, start)
            reach += chunk
        lines = int(np.count_nonzero(np.frombuffer(block, np.uint8, length) == LINE_END))
        rows = lines + (block[length - 1] != LINE_END)
        if rows > most and length * most // rows < chunk:
            chunk = length * most // rows
            continue
        yield Chunk(start, start + length, rows=rows, size=length)
        start += length


def cut_groups(groups: list[tuple[int, int]], chunk: int = CHUNK, explain: bool = False) -> Iterator[Chunk]:
    """Chunks for row groups, which are given by rows and bytes: one for each, and several for the last.

    To be explained, each group is cut into many chunks; EXPLAINED_COSTS at most, because reading a chunk also
    reads everything before it in its group.
    """
    for number, (rows, size) in enumerate(groups):
        most = EXPLAINED_COSTS if explain else LAST_GROUP_CHUNKS if number == len(groups) - 1 else 1
        pieces = min(most, max(size // chunk, 1), max(rows, 1))
        for piece in range(pieces):
            start, end = rows * piece // pieces, rows * (piece + 1) // pieces
            if rows:
                yield Chunk(start, end, number, end - start, size // pieces)


def _last_record_end(block: bytes, delimiter: str) -> int:
    """The offset after the last complete record; 0 if there is none. The block starts with a record."""
    if not delimiter or QUOTE not in block:
        return block.rfind(b"\n") + 1
    data = np.frombuffer(block, np.uint8)
    quote_offsets = np.flatnonzero(data == QUOTE[0])
    if not _well_quoted(data, quote_offsets, delimiter):
        return _last_record_end_by_fields(block, delimiter)
    lines = np.flatnonzero(data == LINE_END)
    outside = lines[np.searchsorted(quote_offsets, lines) % 2 == 0]
    return int(outside[-1]) + 1 if outside.size else 0


def _well_quoted(data: NDArray[np.uint8], quote_offsets: NDArray[np.intp], delimiter: str) -> bool:
    """Whether quotes alternate: one opens a field or is doubled, the next closes it or is doubled."""
    beside = np.zeros(256, dtype=bool)
    beside[list(f'{delimiter}\r\n"'.encode())] = True
    opening, closing = quote_offsets[::2], quote_offsets[1::2]
    opens = beside[data[opening[opening > 0] - 1]]
    closes = beside[data[closing[closing < data.size - 1] + 1]]
    return bool(opens.all() and closes.all())


def _last_record_end_by_fields(block: bytes, delimiter: str) -> int:
    """The same, field by field: right for quotes anywhere, but slow."""
    at, end, field = 0, 0, field_pattern(delimiter)
    while at < len(block) and (match := field.match(block, at)):
        at = match.end()
        if match[1].endswith(b"\n"):
            end = at
    return end


def _ends_outside_quotes(block: bytes, at: int, delimiter: str) -> bool:
    """Whether the bytes from `at` to the end of the file, which needs no line end, are complete fields."""
    if QUOTE not in block[at:]:
        return True
    field = field_pattern(delimiter)
    while at < len(block) and (match := field.match(block, at)):
        at = match.end()
    return at == len(block)


def _endless_record(file: RawIOBase, offset: int) -> InvalidTable:
    """The error names the line that starts at the offset, counted from 1."""
    line = 1
    for at in range(0, offset, CHUNK):
        line += read_exactly(file, at, min(at + CHUNK, offset)).count(b"\n")
    limit = LONGEST_RECORD // (1024 * 1024)
    return InvalidTable(
        f"line {line}: this record does not end; close its quote, or keep it under {limit} MiB"
    )
