"""What a child process may take of the machine's memory, and how it gives memory back."""

import ctypes
import gc
import os
import resource
from contextlib import suppress
from errno import ENOMEM
from pathlib import Path

from jobs.settings import Settings

MIB = 1024 * 1024
LEAST_BUDGET = 640 * MIB
"""Of a child that scores files: 10,000 columns need it. Code and libraries take 140 MiB of it."""
LEAST_FOR_PREDICTIONS = 256 * MIB
"""Of a child that scores predictions, which takes 110 MiB with a small bundle."""
PARENTS = 128 * MIB
"""What the parents of the child processes take together: 43 MiB each."""

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
