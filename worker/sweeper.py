"""The sweeper: gives lost jobs another attempt, and rings wherever something waits unheard."""

import logging
import threading

from celery import Celery

from jobs.broker import ring
from jobs.line import Line

log = logging.getLogger(__name__)

EVERY_SECONDS = 2


class Sweeper:
    """A thread of the worker's parent process. Every worker has one; Redis lets one at a time sweep."""

    def __init__(self, line: Line, celery: Celery, bells: int) -> None:
        self._line = line
        self._celery = celery
        self._bells = bells
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._run, name="sweeper", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stopped.set()

    def _run(self) -> None:
        while not self._stopped.is_set():
            try:
                self._sweep()
            except Exception as error:  # whatever it is, the next sweep may succeed
                log.warning("store_away", extra={"error": str(error)})
            self._stopped.wait(EVERY_SECONDS)

    def _sweep(self) -> None:
        swept = self._line.sweep(self._bells)
        for bell in swept.bells:
            ring(self._celery, bell)
        if swept.taken_back or swept.given_up:
            log.warning("swept", extra={"taken_back": swept.taken_back, "given_up": swept.given_up})
