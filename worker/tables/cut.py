"""Cuts a table into chunks: lines after complete records, Parquet by its row groups."""

import re
from collections.abc import Callable, Iterable, Iterator
from functools import lru_cache
from io import RawIOBase
from typing import NamedTuple, Protocol

import numpy as np
from numpy.typing import NDArray

from jobs.errors import FilesUnavailable, InvalidTable
from jobs.files.tables import LONGEST_RECORD, read_exactly


class Chunk(NamedTuple):
    """The bytes from start to end of a text; of Parquet, the rows from start to end of some row groups."""

    start: int
    end: int
    group: int = 0
    """The number of its first row group."""
    rows: int = 0
    """As counted before the chunk is parsed; blank lines count too."""
    size: int = 0
    """In bytes."""
    groups: int = 1
    """How many row groups it has, one after the other."""

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
MANY_COLUMNS = 256
WIDE_GROUP_CHUNKS = 4
"""A row group with MANY_COLUMNS is cut by its values into so many chunks at most: each takes long. Each also
reads what comes before it in the group.
"""
LAST_GROUP_CHUNKS = 4
"""The last row group is cut into so many chunks, so that the consumers of a file finish together."""

QUOTE = b'"'
LINE_END = ord("\n")


class Text(Protocol):
    """The text of a table, which is read from front to back."""

    def block(self, start: int, length: int) -> bytes:
        """So many bytes from `start`, fewer only at the end. What is before `start` is not read again."""


class TextFile:
    """A file that needs no preparation. `check` is called before each read; it raises what ends planning."""

    def __init__(self, file: RawIOBase, size: int, check: Callable[[], None]) -> None:
        self._file = file
        self._size = size
        self._check = check

    def block(self, start: int, length: int) -> bytes:
        self._check()
        return read_exactly(self._file, start, min(start + length, self._size))


class TextStream:
    """A text that arrives in pieces, from its beginning."""

    def __init__(self, pieces: Iterable[bytes]) -> None:
        self._pieces = filter(None, pieces)
        self._buffer = bytearray()
        self._start = 0

    def block(self, start: int, length: int) -> bytes:
        self._skip(start)
        while len(self._buffer) < length and (piece := next(self._pieces, b"")):
            self._buffer += piece
        return bytes(memoryview(self._buffer)[:length])

    def _skip(self, start: int) -> None:
        while start - self._start > len(self._buffer):
            self._start += len(self._buffer)
            if not (piece := next(self._pieces, b"")):
                raise FilesUnavailable("a file became shorter while it was read")
            self._buffer = bytearray(piece)
        del self._buffer[: start - self._start]
        self._start = start


class CutText(NamedTuple):
    chunk: Chunk
    text: memoryview
    """Empty for Parquet."""


def cut_lines(
    text: Text, start: int, delimiter: str = "", chunk: int = CHUNK, most: int = MOST_ROWS
) -> Iterator[list[CutText]]:
    """Cuts after line ends; with the `delimiter` of CSV, never within a quoted field.

    A chunk has about `chunk` bytes, and at most `most` rows. A longer record is looked at in blocks of twice
    the size each time, so that its cost follows from its length. After each list one may go on later, and
    cuts the same. Raises EndlessRecord for a record that is too long, or whose quote is never closed.
    """
    reach = chunk
    while block := text.block(start, reach):
        ends = _record_ends(block, delimiter)
        complete = int(ends[-1]) if ends.size else 0
        if len(block) < reach and complete < len(block):  # the last line needs no end
            if not _ends_outside_quotes(block[complete:], delimiter):
                raise EndlessRecord(start + complete)
            ends = np.append(ends, len(block))
        elif not complete:
            if reach > LONGEST_RECORD:
                raise EndlessRecord(start)
            reach *= 2
            continue
        yield list(_cut_block(block, start, ends, most))
        start, reach = start + int(ends[-1]), chunk


class EndlessRecord(Exception):
    """The record at this offset does not end."""

    def __init__(self, offset: int) -> None:
        super().__init__(offset)
        self.offset = offset


def _cut_block(block: bytes, start: int, ends: NDArray[np.intp], most: int) -> Iterator[CutText]:
    """Cuts evenly by the number of rows."""
    pieces, first, at, text = -(-ends.size // most), 0, 0, memoryview(block)
    for piece in range(1, pieces + 1):
        last = ends.size * piece // pieces
        end = int(ends[last - 1])
        yield CutText(Chunk(start + at, start + end, rows=last - first, size=end - at), text[at:end])
        first, at = last, end


def cut_groups(groups: list[tuple[int, int]], chunk: int = CHUNK, most: int = 1) -> Iterator[Chunk]:
    """Chunks for row groups, which are given by rows and bytes: small ones share one, the last has many.

    Each large group is cut into at most so many chunks, because reading a chunk also reads everything before
    it in its group.
    """
    shared = Chunk(0, 0, groups=0)
    for number, (rows, size) in enumerate(groups):
        if shared.size + size <= chunk and shared.rows + rows <= MOST_ROWS:
            shared = _with_group(shared, rows, size)
            continue
        if shared.rows:
            yield shared
        its_most = max(most, LAST_GROUP_CHUNKS) if number == len(groups) - 1 else most
        pieces = min(its_most, size // chunk, rows)
        if pieces > 1:
            yield from _cut_group(number, rows, size, pieces)
            shared = Chunk(0, 0, group=number + 1, groups=0)
        else:
            shared = Chunk(0, rows, number, rows, size)
    if shared.rows:
        yield shared


def _with_group(shared: Chunk, rows: int, size: int) -> Chunk:
    return shared._replace(
        end=shared.end + rows, rows=shared.rows + rows, size=shared.size + size, groups=shared.groups + 1
    )


def _cut_group(number: int, rows: int, size: int, pieces: int) -> Iterator[Chunk]:
    for piece in range(pieces):
        start, end = rows * piece // pieces, rows * (piece + 1) // pieces
        yield Chunk(start, end, number, end - start, size // pieces)


def _record_ends(block: bytes, delimiter: str) -> NDArray[np.intp]:
    """The offset after each complete record. The block starts with a record."""
    data = np.frombuffer(block, np.uint8)
    ends = np.flatnonzero(data == LINE_END)
    ends += 1
    if not delimiter or QUOTE not in block:
        return ends
    quote_offsets = np.flatnonzero(data == QUOTE[0])
    if not _after(data, quote_offsets, f"{delimiter}\r\n").any():
        return ends  # no quote opens a field, so none has a meaning
    if not _well_quoted(data, quote_offsets, delimiter):
        return _record_ends_by_fields(block, delimiter)
    outside: NDArray[np.intp] = ends[np.searchsorted(quote_offsets, ends) % 2 == 0]
    return outside


def _well_quoted(data: NDArray[np.uint8], quote_offsets: NDArray[np.intp], delimiter: str) -> bool:
    """Whether quotes alternate: one opens a field or is doubled, the next closes it or is doubled."""
    beside = f'{delimiter}\r\n"'
    opening, closing = quote_offsets[::2], quote_offsets[1::2]
    closed = closing[closing < data.size - 1]
    return bool(_after(data, opening, beside).all() and _one_of(beside)[data[closed + 1]].all())


def _after(data: NDArray[np.uint8], offsets: NDArray[np.intp], before: str) -> NDArray[np.bool_]:
    """Whether each offset is the first, or follows one of these characters."""
    found: NDArray[np.bool_] = (offsets == 0) | _one_of(before)[data[offsets - 1]]
    return found


def _one_of(characters: str) -> NDArray[np.bool_]:
    """For each byte whether it is one of these."""
    table = np.zeros(256, dtype=bool)
    table[list(characters.encode())] = True
    return table


def _record_ends_by_fields(block: bytes, delimiter: str) -> NDArray[np.intp]:
    """The same, record by record: right for quotes anywhere, but slower."""
    at, ends, record = 0, [], _patterns(delimiter).record
    while match := record.match(block, at):
        at = match.end()
        ends.append(at)
    return np.array(ends, np.intp)


def _ends_outside_quotes(rest: bytes, delimiter: str) -> bool:
    """Whether the last bytes of a table, which need no line end, are complete fields."""
    return not delimiter or QUOTE not in rest or bool(_patterns(delimiter).last_record.fullmatch(rest))


class _Patterns(NamedTuple):
    record: re.Pattern[bytes]
    last_record: re.Pattern[bytes]


@lru_cache
def _patterns(delimiter: str) -> _Patterns:
    """A quote has a meaning only at the start of a field. No pattern goes back, so each takes linear time."""
    one = re.escape(delimiter.encode())
    field = rb'(?:"[^"]*+(?:""[^"]*+)*+"[^%b\r\n]*+|[^"%b\r\n][^%b\r\n]*+)?+' % (one, one, one)
    fields = rb"(?:%b[%b\r])*+%b" % (field, one, field)
    return _Patterns(re.compile(fields + rb"\n"), re.compile(fields))


def endless_record(text: Text, offset: int) -> InvalidTable:
    """The error names the line that starts at the offset, counted from 1. The text is read from its start."""
    line = 1
    for at in range(0, offset, CHUNK):
        line += text.block(at, min(CHUNK, offset - at)).count(b"\n")
    limit = LONGEST_RECORD // (1024 * 1024)
    return InvalidTable(
        f"line {line}: this record does not end; close its quote, or keep it under {limit} MiB"
    )
