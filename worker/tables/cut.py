"""Cuts files into chunks: between records, so that each chunk is a table of its own."""

from collections.abc import Iterator
from io import RawIOBase

import numpy as np
from numpy.typing import NDArray

from jobs.errors import InvalidTable
from jobs.files.store import read_exactly
from jobs.files.tables import FIELD, LONGEST_RECORD
from worker.tables.layout import Chunk

CHUNK = 8 * 1024 * 1024
"""Bytes of a chunk, about."""
MOST_ROWS = 131_072
"""In a chunk of lines: what is made of each takes more memory than a short line."""
EXPLAINED_COSTS = 64
"""About how many times as long as to score a row it takes to explain it."""
EXPLAINED_CHUNK = CHUNK // EXPLAINED_COSTS
PIECES = 4
"""Into how many the last row group is cut, so that those who score a file end together."""

QUOTE = b'"'
LINE_END = ord("\n")
_OPENS_AFTER = np.zeros(256, dtype=bool)
_OPENS_AFTER[list(b',\r\n"')] = True


def cut_lines(
    file: RawIOBase, start: int, size: int, quotes: bool, chunk: int = CHUNK, most: int = MOST_ROWS
) -> Iterator[Chunk]:
    """Cuts after line ends, with `quotes` not after those within a field; into at most so many rows.

    Raises InvalidTable, with its line, for a record that is too long, or whose quote is never closed.
    """
    while start < size:
        reach, length = chunk, 0
        while not length:
            block = read_exactly(file, start, min(start + reach, size))
            length = _last_record_end(block, quotes)
            if start + len(block) == size:
                if quotes and not _is_whole(block, length):
                    raise _endless(file, start + length)
                length = len(block)
            elif not length and reach > LONGEST_RECORD:
                raise _endless(file, start)
            reach += chunk
        lines = int(np.count_nonzero(np.frombuffer(block, np.uint8, length) == LINE_END))
        rows = lines + (block[length - 1] != LINE_END)
        if rows > most and length * most // rows < chunk:
            chunk = length * most // rows
            continue
        yield Chunk(start, start + length, rows=rows, size=length)
        start += length


def cut_groups(groups: list[tuple[int, int]], chunk: int = CHUNK, explain: bool = False) -> Iterator[Chunk]:
    """Row groups, by rows and bytes: a long one is read in pieces, and the last may be shared.

    To be explained each is shared, by many; not by more, since all before a piece is read for it as well.
    """
    for number, (rows, size) in enumerate(groups):
        most = EXPLAINED_COSTS if explain else PIECES if number == len(groups) - 1 else 1
        pieces = min(most, max(size // chunk, 1), max(rows, 1))
        for piece in range(pieces):
            start, end = rows * piece // pieces, rows * (piece + 1) // pieces
            if rows:
                yield Chunk(start, end, number, end - start, size // pieces)


def _last_record_end(block: bytes, quotes: bool) -> int:
    """Where the last record ends that has a line end; 0 if none does. The block starts with a record."""
    if not quotes or QUOTE not in block:
        return block.rfind(b"\n") + 1
    data = np.frombuffer(block, np.uint8)
    places = np.flatnonzero(data == QUOTE[0])
    if not _well_quoted(data, places):
        return _end_of_fields(block)
    lines = np.flatnonzero(data == LINE_END)
    outside = lines[np.searchsorted(places, lines) % 2 == 0]
    return int(outside[-1]) + 1 if outside.size else 0


def _well_quoted(data: NDArray[np.uint8], places: NDArray[np.intp]) -> bool:
    """Whether every other quote opens a field, and those between close it, or are doubled."""
    opening, closing = places[::2], places[1::2]
    opens = _OPENS_AFTER[data[opening[opening > 0] - 1]]
    closes = _OPENS_AFTER[data[closing[closing < data.size - 1] + 1]]
    return bool(opens.all() and closes.all())


def _end_of_fields(block: bytes) -> int:
    """Field by field: right for quotes anywhere, and slow."""
    at = end = 0
    while at < len(block) and (match := FIELD.match(block, at)):
        at = match.end()
        if match[1].endswith(b"\n"):
            end = at
    return end


def _is_whole(block: bytes, at: int) -> bool:
    """Whether what comes from there to the end of the file, where no line end need be, is fields."""
    if QUOTE not in block[at:]:
        return True
    while at < len(block) and (match := FIELD.match(block, at)):
        at = match.end()
    return at == len(block)


def _endless(file: RawIOBase, place: int) -> InvalidTable:
    """Names the line that starts there, from 1."""
    line = 1
    for at in range(0, place, CHUNK):
        line += read_exactly(file, at, min(at + CHUNK, place)).count(b"\n")
    return InvalidTable(f"line {line}: what starts here has no end; is a quote not closed?")
