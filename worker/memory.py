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
"""Code, libraries and the stacks of threads take about half of it before the first row."""
PARENTS = 256 * MIB
"""What the parents of the child processes take together."""

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


def budget_of(settings: Settings, machine: int) -> int:
    """Bytes of memory that each child may take: as the settings say, or an equal share of the machine's."""
    children = settings.children + settings.batch_children
    return settings.child_memory or max((machine - PARENTS) // children, LEAST_BUDGET)


class MemoryBudget:
    """Of this process: beyond `limit` bytes an allocation fails with an error, and nothing dies."""

    def __init__(self, limit: int) -> None:
        self._limit = limit

    def enforce(self) -> None:
        """Call it after the fork, before a library that allocates memory in its own way is imported."""
        # This one reserves 1 GiB at once, which counts as taken unless it is committed as it is used. That of
        # the C library leaves a gap as long as the chunk for each column of CSV, and those count, too.
        os.environ["ARROW_DEFAULT_MEMORY_POOL"] = "mimalloc"
        os.environ["MIMALLOC_ARENA_EAGER_COMMIT"] = "0"
        _, hard = resource.getrlimit(resource.RLIMIT_DATA)
        soft = self._limit if hard == resource.RLIM_INFINITY else min(self._limit, hard)
        resource.setrlimit(resource.RLIMIT_DATA, (soft, hard))

    def give_back(self) -> None:
        """Returns what is free to the operating system, if this process has more than half of its budget."""
        resident = int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE
        if resident > self._limit // 2:
            gc.collect()
            ctypes.CDLL(None).malloc_trim(0)


def is_out_of_memory(error: Exception) -> bool:
    """XGBoost has no error of its own for a lack of memory, nor has a thread without a stack."""
    return (
        isinstance(error, MemoryError)
        or (isinstance(error, OSError) and error.errno == ENOMEM)
        or any(sign in str(error) for sign in ("bad_alloc", "can't start new thread"))
    )
