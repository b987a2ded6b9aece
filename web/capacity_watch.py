"""How much waits and how much room Redis has, measured every second."""

import logging
import math

import gevent

from jobs.errors import QueueFull
from jobs.predictions.store import PredictionStore
from jobs.queues.capacity import Capacity, Process

log = logging.getLogger(__name__)

MEASURE_EVERY_SECONDS = 1


class CapacityWatch:
    """`capacity` and `room` (bytes that Redis can still take) are as of the last measurement.

    Each measurement also reports this process as alive.
    """

    def __init__(self, store: PredictionStore, process: Process, max_waiting: int) -> None:
        self.capacity = Capacity()
        self.room = math.inf
        self._store = store
        self._process = process
        self._max_waiting = max_waiting

    def start(self) -> None:
        gevent.spawn(self._run)

    @property
    def accepting(self) -> bool:
        """Whether a small job would be accepted now."""
        return self.capacity.accepting(self.room, self._max_waiting)

    def require_accepting(self) -> None:
        """Raises QueueFull if a small job would not be accepted."""
        if not self.accepting:
            raise self.full(QueueFull())

    def full(self, error: QueueFull) -> QueueFull:
        """Sets the seconds after which a tenth of what waits should be scored."""
        error.retry_after = self.capacity.retry_after(self.capacity.rows // 10)
        return error

    def _run(self) -> None:
        while True:
            try:
                self._store.live(self._process)
                self.room = self._store.room()
                self.capacity = self._store.capacity()
            except Exception as error:  # posts find out by themselves
                log.warning("store_unavailable", extra={"error": type(error).__name__})
            gevent.sleep(MEASURE_EVERY_SECONDS)
