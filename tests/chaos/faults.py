"""How each kind of fault is done, and undone."""

import os
import resource
import shutil
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from functools import partial
from pathlib import Path

from redis import Redis, RedisError
from redis.backoff import NoBackoff
from redis.retry import Retry

from tests.chaos.schedule import ScheduledFault
from tests.chaos.town import STORE_MEMORY, Town

MOST_CLOCK_SECONDS = 3_600
MOST_DELAY_SECONDS = 0.4
LEFT_BYTES = 4_096
MEMORY_LEFT = 1_000_000

Undo = Callable[[], object]
"""What is not possible yet raises OSError or RedisError, and is tried again."""


def nothing() -> None: ...


def strike(town: Town, fault: ScheduledFault) -> Undo:
    """Does it, and gives what ends it."""
    verb, _, victim = fault.kind.partition("_")
    if verb == "kill":
        return _kill(town, victim, fault)
    if verb in ("stop", "restart"):
        return _signal(town, verb, victim, fault)
    if verb in ("full", "read") and victim != "store":
        return _disk(town, fault)
    if fault.kind == "little_memory":
        return _little_memory(town, fault)
    if fault.kind == "full_store":
        return _full_store(town)
    if fault.kind == "clock":
        town.clock.set(int((fault.choice * 2 - 1) * MOST_CLOCK_SECONDS))
        return nothing
    return _network(town, fault)


def _pids(town: Town, victim: str, choice: float) -> list[int]:
    """The one process that is chosen, if there is any."""
    if victim == "s3":
        return [town.s3.service.pid] if town.s3 else []
    if victim == "child":
        found = [pid for role in ("web", "worker") for top in town.tops(role) for pid in top.children()]
    else:
        found = [top.pid for top in town.tops(victim) if top.alive]
    return [found[int(choice * len(found))]] if found else []


def _kill(town: Town, victim: str, fault: ScheduledFault) -> Undo:
    if victim == "store":
        town.keep_away("store", fault.seconds)
    _send(_pids(town, victim, fault.choice), signal.SIGKILL)
    return nothing


def _signal(town: Town, verb: str, victim: str, fault: ScheduledFault) -> Undo:
    pids = _pids(town, victim, fault.choice)
    if verb == "restart":
        town.told_to_stop += [top for top in town.running.values() if top.pid in pids]
        _send(pids, signal.SIGTERM)
        return nothing
    _send(pids, signal.SIGSTOP)
    return partial(_send, pids, signal.SIGCONT)


def _send(pids: list[int], signum: signal.Signals) -> None:
    for pid in pids:
        with suppress(ProcessLookupError):
            os.kill(pid, signum)


def _network(town: Town, fault: ScheduledFault) -> Undo:
    town.proxy.trouble = fault.kind
    town.proxy.delay = fault.choice * MOST_DELAY_SECONDS
    if fault.kind == "cut":
        town.proxy.cut()

    def undo() -> None:
        if town.proxy.trouble == fault.kind:
            town.proxy.trouble = ""

    return undo


def _little_memory(town: Town, fault: ScheduledFault) -> Undo:
    """Leaves a child of a worker hardly more memory than it has."""
    children = [pid for top in town.tops("worker") for pid in top.children()]
    with suppress(IndexError, ProcessLookupError):
        pid = children[int(fault.choice * len(children))]
        before = resource.prlimit(pid, resource.RLIMIT_DATA)
        _, _, after = Path(f"/proc/{pid}/status").read_text().partition("VmData:")
        taken = int(after.split()[0]) * 1024
        resource.prlimit(pid, resource.RLIMIT_DATA, (taken + MEMORY_LEFT, before[1]))
        return partial(_set_memory, pid, before)
    return nothing


def _set_memory(pid: int, limits: tuple[int, int]) -> None:
    with suppress(ProcessLookupError):
        resource.prlimit(pid, resource.RLIMIT_DATA, limits)


def _full_store(town: Town) -> Undo:
    limit = partial(_at_once(town).config_set, "maxmemory")
    with suppress(RedisError):
        limit(int(_at_once(town).info("memory")["used_memory"]) + MEMORY_LEFT)
    return lambda: limit(STORE_MEMORY)


def _at_once(town: Town) -> Redis:
    """A store that does not answer holds up no other fault."""
    return Redis.from_url(town.direct_url, socket_timeout=0.5, retry=Retry(NoBackoff(), 0))


def _disk(town: Town, fault: ScheduledFault) -> Undo:
    files, store = town.disks
    disk = store if fault.kind == "full_store_disk" else files
    if disk not in town.mounted:
        return nothing
    if fault.kind == "read_only_disk":
        _remount(disk, "ro")
        return partial(_remount, disk, "rw")
    ballast = Path(disk, f"ballast-{fault.at}")
    with suppress(OSError), ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(shutil.disk_usage(disk).free - LEFT_BYTES, 1))
    return partial(ballast.unlink, missing_ok=True)


def _remount(disk: Path, mode: str) -> None:
    """Is refused while a file is open for writing: then nothing happens."""
    subprocess.run(["mount", "-o", f"remount,{mode}", str(disk)], capture_output=True, check=False)
