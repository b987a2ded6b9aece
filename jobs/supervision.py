"""Keeps loops running: no thread and no greenlet ends silently of an error that nobody foresaw."""

import logging
import math
import time
import traceback
from collections.abc import Callable
from threading import Thread
from typing import Any, TypeAlias

from jobs.errors import StoreUnavailable
from jobs.metrics import LOOP_ERRORS, Metrics

log = logging.getLogger(__name__)

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 0.5, 4.0
"""A pause is twice as long as the one before, until a loop has run longer than the longest."""
LOG_AGAIN_SECONDS = 60

Loop: TypeAlias = Callable[[], None]
"""Runs for as long as the process lives, or returns when it is to end."""
Spawn: TypeAlias = Callable[..., Any]
"""Starts a function with its arguments in the background, as gevent.spawn does."""


def start_thread(function: Callable[..., None], name: str, *arguments: Any) -> Thread:
    """A Spawn whose first argument also names the thread."""
    thread = Thread(target=function, args=(name, *arguments), name=name, daemon=True)
    thread.start()
    return thread


class Supervisor:
    """Starts loops, and starts them again after an error; counts all errors, logs one of a kind a minute."""

    def __init__(
        self,
        metrics: Metrics,
        spawn: Spawn = start_thread,
        sleep: Callable[[float], object] = time.sleep,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.metrics = metrics
        self._spawn = spawn
        self._sleep = sleep
        self._clock = clock
        self._logged: dict[tuple[str, str], float] = {}

    def start(self, name: str, loop: Loop) -> Any:
        """Returns the thread or greenlet."""
        return self._spawn(self.keep, name, loop)

    def keep(self, name: str, loop: Loop) -> None:
        """Runs the loop until it returns."""
        pause = FIRST_PAUSE_SECONDS
        while True:
            began = self._clock()
            try:
                return loop()
            except Exception as error:
                self.report(name, error)
            if self._clock() - began > LONGEST_PAUSE_SECONDS:
                pause = FIRST_PAUSE_SECONDS
            self._sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_SECONDS)

    def report(self, name: str, error: Exception) -> None:
        """Counts and logs an error after which the loop goes on."""
        kind = type(error).__name__
        self.metrics.count(LOOP_ERRORS, name, kind)
        now = self._clock()
        if now - self._logged.get((name, kind), -math.inf) < LOG_AGAIN_SECONDS:
            return
        self._logged[name, kind] = now
        if isinstance(error, StoreUnavailable):
            log.warning("store_unavailable", extra={"loop": name, "error": str(error)})
        else:  # its message may hold what a caller sent
            log.error("loop_failed", extra={"loop": name, "error": kind, "where": _where(error)})


def _where(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)[-1:]
    return "".join(f"{frame.filename}:{frame.lineno}" for frame in frames)
