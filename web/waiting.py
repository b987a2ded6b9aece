"""Callers who wait for their job to end, thousands in one process."""

import logging
import math
import time
from collections.abc import Callable, Sequence
from typing import Any

import gevent
from gevent.event import AsyncResult
from redis import Redis

from jobs.errors import UnknownRecord
from jobs.predictions.record import PredictionRecord
from jobs.queues.ended import JobEnded

log = logging.getLogger(__name__)

READS_AGAIN_EVERY_SECONDS = 1
"""Pub/sub may drop a message, so whoever waits reads again this often."""
TICK_SECONDS = 0.1
AT_ONCE = 250
"""Records read in one call, so that nobody's post waits long behind it."""

ReadAll = Callable[[Sequence[str], str], Sequence[PredictionRecord | UnknownRecord | None]]


class Waiter:
    """One caller's place. Leave it when done: `with waiting.enter(record) as waiter`."""

    def __init__(self, waiting: "Waiting", record: PredictionRecord) -> None:
        self._waiting = waiting
        self.record = record
        self.result = AsyncResult()
        self.until = math.inf

    def __enter__(self) -> "Waiter":
        return self

    def __exit__(self, *_: object) -> None:
        self._waiting.leave(self)

    def wait(self, seconds: float) -> PredictionRecord | None:
        """The record once the job has ended; None when the time is over, or this process is to stop."""
        self.until = time.monotonic() + seconds
        record: PredictionRecord | None = self.result.get()
        return record


class Waiting:
    """Subscribed to a channel of its own: word of ended jobs comes in, their callers are woken."""

    def __init__(self, redis: Redis, read: ReadAll, channel: str, most_callers: int) -> None:
        self.channel = channel
        self._redis = redis
        self._read = read
        self._most_callers = most_callers
        self._waiters: dict[str, list[Waiter]] = {}
        self._callers = 0
        self._released = False

    def open(self) -> None:
        gevent.spawn(self._listen)
        gevent.spawn(self._read_again)
        gevent.spawn(self._watch_time)

    @property
    def open_to_more(self) -> bool:
        return not self._released and self._callers < self._most_callers

    def enter(self, record: PredictionRecord) -> Waiter | None:
        """None if too many wait here already, or if this process is to stop: answer at once then.

        Enter with the record known so far, before `channel` is made a watcher of the job.
        """
        if not self.open_to_more:
            return None
        waiter = Waiter(self, record)
        self._waiters.setdefault(record.id, []).append(waiter)
        self._callers += 1
        return waiter

    def leave(self, waiter: Waiter) -> None:
        self._callers -= 1
        waiters = self._waiters[waiter.record.id]
        waiters.remove(waiter)
        if not waiters:
            del self._waiters[waiter.record.id]

    def release(self) -> None:
        """Lets everyone go, and nobody wait any more."""
        self._released = True
        for waiters in self._waiters.values():
            for waiter in waiters:
                waiter.result.set(None)

    def _listen(self) -> None:
        while True:
            try:
                subscribing: Any = self._redis.pubsub
                with subscribing(ignore_subscribe_messages=True) as subscription:
                    subscription.subscribe(self.channel)
                    for message in subscription.listen():
                        self._hear(message["data"])
            except Exception as error:  # whatever it is, callers wait on
                log.warning("not_heard", extra={"error": type(error).__name__})
                gevent.sleep(0.5)

    def _hear(self, message: bytes) -> None:
        untold = []
        for ending in JobEnded.read_all(message):
            if ended.inlined:
                for waiter in self._waiters.get(ending.job_id, ()):
                    waiter.result.set(waiter.record.ended(ending))
            else:
                untold.append(ending.job_id)
        self._look(untold)

    def _read_again(self) -> None:
        while True:
            gevent.sleep(READS_AGAIN_EVERY_SECONDS)
            try:
                self._look(list(self._waiters))
            except Exception as error:  # likewise
                log.warning("not_heard", extra={"error": type(error).__name__})

    def _watch_time(self) -> None:
        """One clock for all who wait: a timer for each costs a tenth of the time of a request."""
        while True:
            gevent.sleep(TICK_SECONDS)
            now = time.monotonic()
            for waiters in list(self._waiters.values()):
                for waiter in waiters:
                    if waiter.until <= now:
                        waiter.result.set(None)

    def _look(self, ids: list[str]) -> None:
        for start in range(0, len(ids), AT_ONCE):
            some = ids[start : start + AT_ONCE]
            for record in self._read(some, self.channel):
                if isinstance(record, PredictionRecord) and record.status.ended:
                    for waiter in self._waiters.get(record.id, ()):
                        waiter.result.set(record)
