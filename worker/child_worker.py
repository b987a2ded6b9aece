"""The second Celery worker of `python -m worker`: a process of its own, supervised by the first."""

import logging
import os
import signal
import subprocess
import sys
import threading
from contextlib import suppress

from jobs.settings import PREFIX
from jobs.supervision import Supervisor

log = logging.getLogger(__name__)

RESTART_SECONDS = 1
ATTACHED = "--attached"
"""The argument of such a process. Its standard input is a pipe that closes when its parent ends."""


class ChildWorker:
    """Restarts the process if it ends; at the end of the `with` block, stops it and waits for its end."""

    def __init__(self, queue: str | None, niceness: int, supervisor: Supervisor) -> None:
        self._queue = queue
        self._niceness = niceness
        self._supervisor = supervisor
        self._stopped = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "ChildWorker":
        if self._queue:
            self._start()
            self._supervisor.start("child worker", self._restart)
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()
        if self._process:
            self._process.wait()

    def stop(self) -> None:
        self._stopped.set()
        if self._process and self._process.poll() is None:
            self._process.send_signal(signal.SIGTERM)

    def _start(self) -> None:
        environment = {**os.environ, f"{PREFIX}QUEUES": str(self._queue)}
        command = [sys.executable, "-m", "worker", ATTACHED]
        self._process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE)  # noqa: S603 (ours)
        # Before it imports anything, so that its start takes little of the processor from its parent's.
        with suppress(ProcessLookupError):
            yield_to_others(self._process.pid, self._niceness)

    def _restart(self) -> None:
        while self._process:
            status = self._process.wait()
            if self._stopped.wait(RESTART_SECONDS):
                return
            log.warning("worker_ended", extra={"queue": self._queue, "exit_status": status})
            self._start()


def yield_to_others(pid: int, niceness: int) -> None:
    """Gives a process this niceness at least: without privileges, none can be made less nice."""
    os.setpriority(os.PRIO_PROCESS, pid, max(os.getpriority(os.PRIO_PROCESS, pid), niceness))


def end_with_parent() -> None:
    """Ends this process when its standard input closes; its child processes notice, and end too."""

    def watch() -> None:
        try:
            os.read(0, 1)  # not through sys.stdin, whose lock a child would inherit
        finally:
            os._exit(1)

    threading.Thread(target=watch, name="parent", daemon=True).start()
