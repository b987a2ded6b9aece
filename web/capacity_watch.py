"""How much waits, how much room Redis has, and what each key has used, measured every second."""

import math
from collections.abc import Callable, Collection

import gevent

from jobs.errors import QueueFull
from jobs.predictions.resource import retry_after
from jobs.queues.capacity import JOB_BYTES, Capacity, Monitor
from jobs.queues.processes import Process
from jobs.queues.usage import Kept, UsageReader
from web.keeper.awakening import Awakening
from web.key_limits import KeyLimits

MEASURE_EVERY_SECONDS = 1
READ_KEPT_EVERY_SECONDS = 10
LITTLE_ROOM = 64 * 1024 * 1024
"""Bytes. When Redis has less room, web also reads when the jobs that fill it expire."""


class CapacityWatch:
    """`capacity` and `room` (bytes that Redis can still take) are as of the last measurement.

    Each measurement also reports this process as alive. `served` are the kinds of jobs that workers take.
    """

    def __init__(
        self,
        monitor: Monitor,
        usage: UsageReader,
        limits: KeyLimits,
        process: Process,
        max_waiting: int,
        clock: Callable[[], float],
        awakening: Awakening,
        served: Collection[str],
    ) -> None:
        self.capacity = Capacity()
        self.room = math.inf
        self.accepting = True
        """Whether a small job would be accepted now."""
        self._monitor = monitor
        self._usage = usage
        self._limits = limits
        self._clock = clock
        self.awakening = awakening
        self._kept = Kept()
        self._read_kept_at = 0.0
        self._process = process
        self._max_waiting = max_waiting
        self.served = served

    def set_retry_after(self, error: QueueFull, size: float = JOB_BYTES) -> QueueFull:
        """Returns the error with the time after which there should be room for `size` bytes.

        If Redis has that room, it is the time that a tenth of the waiting rows takes.
        """
        missing = size - self.room
        seconds = self._kept.seconds_until_free(missing, self._clock()) if missing > 0 else None
        error.retry_after = seconds or retry_after(self.capacity, self.capacity.rows // 10)
        return error

    def _read_kept(self) -> None:
        if self.room > LITTLE_ROOM:
            self._kept = Kept()
        elif self._clock() >= self._read_kept_at:
            self._kept = self._usage.kept_by_all()
            self._read_kept_at = self._clock() + READ_KEPT_EVERY_SECONDS

    def run(self) -> None:
        """Measures for as long as the process lives. Raises StoreUnavailable."""
        while True:
            self._monitor.report_alive(self._process)
            self.room = self._monitor.room()
            self.capacity = self.awakening.refresh(self._monitor.capacity())
            self._read_kept()
            self._limits.refresh()
            self.accepting = self.capacity.accepting(self.room, self._max_waiting)
            gevent.sleep(MEASURE_EVERY_SECONDS)
