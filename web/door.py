"""The door: jobs go in here, many in one step, or are refused; then the bell is rung."""

import logging
import math
from collections.abc import Callable, Sequence

import gevent

from jobs.errors import JobsError, LineFull
from jobs.record import NewJob
from jobs.store import Store
from web.gather import Gatherer

log = logging.getLogger(__name__)

LOOKS_EVERY_SECONDS = 1
"""How often the door looks at Redis' memory."""

Ring = Callable[[str], None]


class Door:
    def __init__(self, store: Store, ring: Ring) -> None:
        self._store = store
        self._ring = ring
        self._room = math.inf
        self._adding: Gatherer[NewJob, None] = Gatherer(self._add_all)

    def open(self) -> None:
        gevent.spawn(self._watch_memory)

    def add(self, job: NewJob) -> None:
        """Returns once the job is recorded and in the line.

        Raises LineFull, OverLimit, or StoreAway: then the job is not accepted as far as we know.
        """
        if self._room < job.size:
            raise LineFull("Redis is nearly full; try again later")
        self._room -= job.size
        try:
            self._adding.ask(job)
        except JobsError:
            self._room += job.size
            raise

    def _add_all(self, jobs: Sequence[NewJob]) -> list[JobsError | None]:
        refusals, bells = self._store.add(jobs)
        for bell in bells:
            gevent.spawn(self._ring_out, bell)
        return refusals

    def _ring_out(self, bell: str) -> None:
        try:
            self._ring(bell)
        except Exception as error:
            log.warning("bell_lost: %s", type(error).__name__)

    def _watch_memory(self) -> None:
        while True:
            try:
                self._room = self._store.room()
            except Exception as error:  # who posts now is told so
                log.warning("store_away: %s", type(error).__name__)
            gevent.sleep(LOOKS_EVERY_SECONDS)
