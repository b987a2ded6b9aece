"""How much memory a child process may take, and how much memory, results and time a file may cost.

What a file may cost is in proportion to its bytes.
"""

import ctypes
import gc
import os
import resource
from collections.abc import Iterable
from contextlib import suppress
from errno import ENOMEM
from pathlib import Path

from jobs.errors import OverLimit
from jobs.files.store import MIB, Writable
from jobs.settings import Settings

LEAST_BUDGET = 640 * MIB
"""Bytes of a child that scores files: 10,000 columns need it. Code and libraries take 140 MiB of it."""
LEAST_FOR_PREDICTIONS = 256 * MIB
"""Bytes of a child that scores predictions, which takes 110 MiB with a small bundle."""
PARENTS = 128 * MIB
"""What the parents of the child processes take together: 43 MiB each."""

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

_PAGE = os.sysconf("SC_PAGE_SIZE")
_CGROUP_LIMITS = (
    Path("/sys/fs/cgroup/memory.max"),
    Path("/sys/fs/cgroup/memory/memory.limit_in_bytes"),
)


def memory_of_machine(limits: tuple[Path, ...] = _CGROUP_LIMITS) -> int:
    """Bytes of memory that the container may take or, outside of one, that the machine has."""
    found = [os.sysconf("SC_PHYS_PAGES") * _PAGE]
    for limit in limits:
        with suppress(OSError, ValueError):  # there is no such file, or it says that there is no limit
            found.append(int(limit.read_text()))
    return min(found)


def least_memory(settings: Settings) -> int:
    """Bytes that a worker with these children needs at least."""
    if settings.child_memory:
        return PARENTS + settings.child_memory * (settings.children + settings.batch_children)
    return PARENTS + LEAST_FOR_PREDICTIONS * settings.children + LEAST_BUDGET * settings.batch_children


def budget_of(settings: Settings, machine: int, least: int = LEAST_BUDGET) -> int:
    """Bytes that a child may take: as the settings say, or its least and a share of what is left."""
    children = settings.children + settings.batch_children
    return settings.child_memory or least + max(machine - least_memory(settings), 0) // children


class MemoryBudget:
    """Limits the memory of this process: an allocation beyond `limit` bytes fails with an error."""

    def __init__(self, limit: int) -> None:
        self._limit = limit

    def enforce(self) -> None:
        """Call it after the fork, before a library that allocates memory in its own way is imported."""
        # Of Arrow's three pools, only jemalloc returns what is free so that it no longer counts. Two files of
        # 10,000 columns: it peaks at 488 MiB and then has 375; mimalloc peaks at 527, and has 525 for good.
        # Both take the same time. That of the C library leaves a gap as long as the chunk for each column of
        # CSV.
        os.environ["ARROW_DEFAULT_MEMORY_POOL"] = "jemalloc"
        os.environ["JE_ARROW_MALLOC_CONF"] = "retain:false,dirty_decay_ms:0,muzzy_decay_ms:0"
        os.environ["OPENBLAS_NUM_THREADS"] = "1"  # 40 MiB count as taken for each further one, on each core
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        soft = self._limit if hard == resource.RLIM_INFINITY else min(self._limit, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))

    def give_back(self) -> None:
        """Returns what is free to the operating system, if this process has more than half of its budget."""
        resident = int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE
        if resident > self._limit // 2:
            gc.collect()
            ctypes.CDLL(None).malloc_trim(0)


def check_room(size: int) -> None:
    """Raises MemoryError unless this process may take so many bytes more.

    Arrow returns an error for most of the memory that it does not get, and ends the process for some. So it
    is given nothing to do that may not fit.
    """
    limit, _ = resource.getrlimit(resource.RLIMIT_DATA)
    if limit != resource.RLIM_INFINITY and _taken() + size > limit:
        raise MemoryError(f"no room for {size} bytes more")


def _taken() -> int:
    """Bytes that count towards the limit of data, without those that the C library has and does not use."""
    data = int(Path("/proc/self/statm").read_text().split()[5]) * _PAGE
    library = ctypes.CDLL(None)
    if not hasattr(library, "mallinfo2"):
        return data
    library.mallinfo2.restype = _Heap
    return data - int(library.mallinfo2().fordblks)


class _Heap(ctypes.Structure):
    """What the C library says of its heap, in its order; `fordblks` are the free bytes in it."""

    _fields_ = [
        *((name, ctypes.c_size_t) for name in ("arena", "ordblks", "smblks", "hblks", "hblkhd")),
        *((name, ctypes.c_size_t) for name in ("usmblks", "fsmblks", "uordblks", "fordblks", "keepcost")),
    ]


def is_out_of_memory(error: Exception) -> bool:
    """XGBoost has no error of its own for a lack of memory, nor has a thread without a stack."""
    return (
        isinstance(error, MemoryError)
        or (isinstance(error, OSError) and error.errno == ENOMEM)
        or any(sign in str(error) for sign in ("bad_alloc", "can't start new thread"))
    )


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
                "its rows repeat long texts or many values; leave out such columns"
            )


class LimitedPart:
    """Writes the results of a chunk, and counts them."""

    def __init__(self, part: Writable, chunk_bytes: int) -> None:
        self._part = part
        self._bytes = ChunkBytes(chunk_bytes)

    def write(self, data: bytes | memoryview) -> None:
        self._bytes.add(len(data))
        self._part.write(data)
