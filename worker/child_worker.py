"""The second Celery worker of `python -m worker`: a process of its own, minded by the first."""

import logging
import os
import signal
import subprocess
import sys
import threading

from jobs.settings import PREFIX

log = logging.getLogger(__name__)

AGAIN_AFTER_SECONDS = 1
MINDED = "--minded"
"""Says that the standard input ends with the process that minds this one."""


class ChildWorker:
    """Started again if it ends; told to stop with the first, and waited for when the block ends."""

    def __init__(self, queue: str | None) -> None:
        self._queue = queue
        self._stopped = threading.Event()
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> "ChildWorker":
        if self._queue:
            self._start()
            threading.Thread(target=self._mind, name="second worker", daemon=True).start()
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
        command = [sys.executable, "-m", "worker", MINDED]
        self._process = subprocess.Popen(command, env=environment, stdin=subprocess.PIPE)  # noqa: S603 (ours)

    def _mind(self) -> None:
        while self._process:
            status = self._process.wait()
            if self._stopped.wait(AGAIN_AFTER_SECONDS):
                return
            log.warning("worker_ended", extra={"queue": self._queue, "exit_status": status})
            self._start()


def end_with_minder() -> None:
    """Ends this process when its standard input does; its children see that, and end too."""

    def watch() -> None:
        os.read(0, 1)  # not through sys.stdin, whose lock a child would inherit
        os._exit(1)

    threading.Thread(target=watch, name="minder", daemon=True).start()
