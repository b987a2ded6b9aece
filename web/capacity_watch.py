"""How much waits and how much room Redis has, measured every second."""

import math

import gevent

from jobs.errors import QueueFull
from jobs.predictions.resource import retry_after
from jobs.queues.capacity import Capacity, Monitor
from jobs.queues.processes import Process

MEASURE_EVERY_SECONDS = 1


class CapacityWatch:
    """`capacity` and `room` (bytes that Redis can still take) are as of the last measurement.

    Each measurement also reports this process as alive.
    """

    def __init__(self, monitor: Monitor, process: Process, max_waiting: int) -> None:
        self.capacity = Capacity()
        self.room = math.inf
        self.accepting = True
        """Whether a small job would be accepted now."""
        self._monitor = monitor
        self._process = process
        self._max_waiting = max_waiting

    def with_retry_after(self, error: QueueFull) -> QueueFull:
        """Returns the error, with a Retry-After by which a tenth of the waiting rows should be scored."""
        error.retry_after = retry_after(self.capacity, self.capacity.rows // 10)
        return error

    def run(self) -> None:
        """Measures for as long as the process lives. Raises StoreUnavailable."""
        while True:
            self._monitor.report_alive(self._process)
            self.room = self._monitor.room()
            self.capacity = self._monitor.capacity()
            self.accepting = self.capacity.accepting(self.room, self._max_waiting)
            gevent.sleep(MEASURE_EVERY_SECONDS)
