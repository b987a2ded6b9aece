"""The door: jobs go in here, many in one step, or are refused; then the wake_up is rung."""

import logging
import math
from collections.abc import Iterator, Sequence
from typing import Any

import gevent

from jobs.errors import JobsError, QueueFull
from jobs.logs import Journal
from jobs.predictions.record import Accepted, NewPrediction
from jobs.predictions.store import PredictionStore
from jobs.queues.capacity import Capacity
from jobs.queues.processes import Process
from jobs.queues.wake_ups import SendWakeUp, try_wake_up
from web.group_commit import GroupCommit

log = logging.getLogger(__name__)

LOOKS_EVERY_SECONDS = 1
"""How often the door looks at Redis' memory, and at how the line is worked off."""


class Admission:
    def __init__(
        self, store: PredictionStore, ring: SendWakeUp, web: Process, most_waiting: int, journal: Journal
    ) -> None:
        self._store = store
        self._ring = ring
        self._web = web
        self._journal = journal
        self._most_waiting = most_waiting
        self.capacity = Capacity()
        """As it was a moment ago."""
        self._room = math.inf
        self._adding: GroupCommit[NewPrediction, Accepted] = GroupCommit(self._add_all)

    def open(self) -> None:
        gevent.spawn(self._look)

    @property
    def is_open(self) -> bool:
        """Whether a small job would be taken in now."""
        return self.capacity.accepting(self._room, self._most_waiting)

    def require_open(self) -> None:
        """Raises QueueFull where a small job would not be taken in."""
        if not self.is_open:
            raise self._full(QueueFull())

    def add(self, job: NewPrediction) -> Accepted:
        """Returns once the job is recorded and in the line.

        Raises QueueFull, RateLimited, IdempotencyKeyReused or StoreUnavailable.
        """
        if self._room < job.size:
            raise self._full(QueueFull("Redis is nearly full; try again later"))
        self._room -= job.size
        try:
            return self._adding.ask(job)
        except JobsError as error:
            self._room += job.size
            raise self._full(error) if isinstance(error, QueueFull) else error from None

    def _full(self, error: QueueFull) -> QueueFull:
        """With the time after which a tenth of what waits should be done."""
        error.retry_after = self.capacity.retry_after(self.capacity.rows // 10)
        return error

    def _add_all(self, jobs: Sequence[NewPrediction]) -> list[Accepted | JobsError]:
        done, wake_ups = self._store.add(jobs)
        for wake_up in wake_ups:
            gevent.spawn(try_wake_up, self._ring, wake_up)
        self._journal.note("accepted", _lines(jobs, done))
        return done

    def _look(self) -> None:
        while True:
            try:
                self._store.live(self._web)
                self._room = self._store.room()
                self.capacity = self._store.capacity()
            except Exception as error:  # who posts now is told so
                log.warning("store_away", extra={"error": type(error).__name__})
            gevent.sleep(LOOKS_EVERY_SECONDS)


def _lines(jobs: Sequence[NewPrediction], done: Sequence[Accepted | JobsError]) -> Iterator[dict[str, Any]]:
    for job, accepted in zip(jobs, done, strict=True):
        if isinstance(accepted, Accepted) and not accepted.replayed:
            yield {"request_id": job.request_id, "job_id": job.id, "model": job.model, "rows": job.rows}
