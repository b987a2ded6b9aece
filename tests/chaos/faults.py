"""How each kind of fault is done, and undone."""

import os
import shutil
import signal
import subprocess
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path

from tests.chaos.schedule import ScheduledFault
from tests.chaos.town import STORE_MEMORY, Town

MOST_CLOCK_SECONDS = 3_600
MOST_DELAY_SECONDS = 0.4
LEFT_BYTES = 4_096

Undo = Callable[[], None]


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
        _send(pids, signal.SIGTERM)
        return nothing
    _send(pids, signal.SIGSTOP)
    return lambda: _send(pids, signal.SIGCONT)


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


def _full_store(town: Town) -> Undo:
    def limit(size: int) -> None:
        with suppress(OSError):
            town.redis.config_set("maxmemory", size)

    limit(max(int(town.redis.info("memory")["used_memory"]) + 100_000, 1))
    return lambda: limit(STORE_MEMORY)


def _disk(town: Town, fault: ScheduledFault) -> Undo:
    files, store = town.disks
    disk = store if fault.kind == "full_store_disk" else files
    if disk not in town.mounted:
        return nothing
    if fault.kind == "read_only_disk":
        _remount(disk, "ro")
        return lambda: _remount(disk, "rw")
    ballast = Path(disk, f"ballast-{fault.at}")
    with suppress(OSError), ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, max(shutil.disk_usage(disk).free - LEFT_BYTES, 1))
    return lambda: ballast.unlink(missing_ok=True)


def _remount(disk: Path, mode: str) -> None:
    """Is refused while a file is open for writing: then nothing happens."""
    subprocess.run(["mount", "-o", f"remount,{mode}", str(disk)], capture_output=True, check=False)
