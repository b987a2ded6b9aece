"""The door: jobs go in here, many in one step, or are refused; then the bell is rung."""

import logging
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
    def __init__(self, store: Store, ring: Ring, most_memory_percent: float) -> None:
        self._store = store
        self._ring = ring
        self._most_memory_percent = most_memory_percent
        self._memory_full = False
        self._adding: Gatherer[NewJob, JobsError | None] = Gatherer(self._add_all)

    def open(self) -> None:
        gevent.spawn(self._watch_memory)

    def add(self, job: NewJob) -> None:
        """Returns once the job is recorded and in the line.

        Raises LineFull, OverLimit, or StoreAway: then the job is not accepted as far as we know.
        """
        if self._memory_full:
            raise LineFull("Redis is nearly full; try again later")
        if refusal := self._adding.ask(job):
            raise refusal

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
                self._memory_full = self._store.memory_percent() >= self._most_memory_percent
            except Exception as error:  # who posts now is told so
                log.warning("store_away: %s", type(error).__name__)
            gevent.sleep(LOOKS_EVERY_SECONDS)
