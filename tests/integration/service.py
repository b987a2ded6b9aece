"""A process of the project, as a supervisor sees it: started, signalled, and never left behind."""

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

import psutil

ROOT = Path(__file__).parents[2]
PYTHON = sys.executable
PATIENCE = 60.0
"""Far more seconds than anything takes: a deadline against hanging, never a promise."""

T = TypeVar("T")


class Service:
    """Runs in a session of its own; all that it writes goes to its log."""

    def __init__(self, command: Sequence[str], log: Path, environment: dict[str, str]) -> None:
        self.log = log
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                command,
                cwd=ROOT,
                env=environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        self.pid = self._process.pid

    @property
    def alive(self) -> bool:
        return self._process.poll() is None

    def children(self) -> list[int]:
        try:
            return [child.pid for child in psutil.Process(self.pid).children(recursive=True)]
        except psutil.NoSuchProcess:
            return []

    def send(self, signum: signal.Signals) -> None:
        self._process.send_signal(signum)

    def kill(self) -> None:
        """As the kernel does when memory is short: this process alone, and without a word."""
        self._process.kill()
        self._process.wait()

    def kill_group(self) -> None:
        """This process and all of its session, whatever state they are in."""
        with suppress(ProcessLookupError):
            os.killpg(self.pid, signal.SIGKILL)
        self._process.wait()

    def ended(self, within: float = PATIENCE) -> int:
        """The exit status; fails if the process does not end in time."""
        try:
            return self._process.wait(within)
        except subprocess.TimeoutExpired:
            raise AssertionError(f"{self.log.name}: still there after {within} s") from None

    def events(self, word: str) -> list[dict[str, Any]]:
        """The lines of its log that tell of such an event."""
        whole = self.says().rpartition("\n")[0]
        found = (line for line in whole.splitlines() if line.startswith("{") and word in line)
        return [line for line in map(json.loads, found) if line["event"] == word]

    def says(self) -> str:
        return self.log.read_text(errors="replace")


def clean_environment(**settings: str) -> dict[str, str]:
    """This environment, without any setting of the project but those given."""
    inherited = {
        name: value
        for name, value in os.environ.items()
        if name != "REDIS_URL" and not name.startswith("PAYGRADE_")
    }
    return inherited | settings


def processes_of(data: Path) -> list[psutil.Process]:
    """Every process that was started with this PAYGRADE_DATA, whoever its parent is by now.

    The store writes over its environment; it is known by the folder that it works in.
    """
    found = []
    for process in psutil.process_iter():
        try:
            ours = process.environ().get("PAYGRADE_DATA") == str(data)
            if (ours or process.cwd() == str(data / "store")) and process.status() != psutil.STATUS_ZOMBIE:
                found.append(process)
        except (psutil.NoSuchProcess, psutil.AccessDenied):
            continue
    return found


def kill_all_of(data: Path) -> None:
    while left := processes_of(data):
        for process in left:
            try:
                process.kill()
            except psutil.NoSuchProcess:
                continue
        psutil.wait_procs(left, timeout=5)


def kill(pid: int) -> bool:
    """Whether it was still there."""
    try:
        os.kill(pid, signal.SIGKILL)
    except ProcessLookupError:
        return False
    return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def wait_until(what: str, condition: Callable[[], T], within: float = PATIENCE) -> T:
    """The first true value of the condition; fails with `what` if none comes in time."""
    deadline = time.monotonic() + within
    while True:
        if value := condition():
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within:g} s: {what}")
        time.sleep(0.02)
