"""What one file may cost: memory, results and time stay in proportion to its bytes."""

from collections.abc import Iterable

from jobs.errors import OverLimit
from jobs.files.store import Writable

MIB = 1024 * 1024

BLOCK_BYTES = 16 * MIB
"""About how many bytes of a Parquet file are unpacked at a time."""
BLOCK_CELLS = 1024 * 1024
"""About how many values of a Parquet file are unpacked at a time: each takes more memory than its bytes."""
BLOCK_VALUES = 8 * MIB
"""How many values of features and results are in memory at a time."""
JSON_VALUES = 256 * 1024
"""About how many values of NDJSON are in memory at a time, of which each takes up to some 100 bytes."""
NAME_PER_VALUE = 4
"""So many characters of a name take about as much memory as a value."""

SMALL_RESULTS = 50_000_000
VALUES_PER_BYTE = 64
"""Results have at most so many values for each byte of the file as it was sent, or SMALL_RESULTS."""
SMALL_PART = 64 * MIB
RESULT_PER_BYTE = 200
"""A chunk that is unpacked has at most SMALL_PART bytes and so many for each of its own; its results, too."""


def rows_at_once(columns: int, names: Iterable[str], most: int) -> int:
    """How many rows with so many features and added columns fit into memory, at most `most`.

    `names` are those that the results repeat in each row.
    """
    return max(min(most, BLOCK_VALUES // (columns + sum(map(len, names)) // NAME_PER_VALUE)), 1)


def json_values(text: bytes) -> int:
    """How many values JSON has at most, by what comes before each of them."""
    return sum(text.count(sign) for sign in (b",", b"[", b"{"))


def is_overfull(line: bytes) -> bool:
    """Whether a line of NDJSON has more values than are read at a time."""
    return len(line) > JSON_VALUES and json_values(line) > JSON_VALUES


def check_values(rows: int, columns: int, size: int) -> None:
    """Raises OverLimit if such results are out of proportion to a file of so many bytes."""
    limit = max(SMALL_RESULTS, VALUES_PER_BYTE * size)
    if rows * columns > limit:
        raise OverLimit(
            f"the results would have {rows * columns} values, {rows} rows of {columns} columns; those of a "
            f"file of {size} bytes may have {limit}; send it in parts"
        )


class ChunkBytes:
    """Counts what a chunk becomes. Raises OverLimit if that is out of proportion to its bytes in the file."""

    def __init__(self, chunk_bytes: int) -> None:
        self._limit = SMALL_PART + RESULT_PER_BYTE * chunk_bytes
        self._left = self._limit

    def add(self, number: int) -> None:
        self._left -= number
        if self._left < 0:
            raise OverLimit(
                f"a part of the file has more than {self._limit} bytes once it is unpacked and scored; "
                "its rows repeat long texts or many values, leave such columns out"
            )


class LimitedPart:
    """Writes the results of a chunk, and counts them."""

    def __init__(self, part: Writable, chunk_bytes: int) -> None:
        self._part = part
        self._bytes = ChunkBytes(chunk_bytes)

    def write(self, data: bytes | memoryview) -> None:
        self._bytes.add(len(data))
        self._part.write(data)
