"""Callers who wait for their job to end, thousands of them in one process."""

import math
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any, Generic, Protocol, TypeAlias, TypeVar

import gevent
from gevent.event import AsyncResult
from redis import Redis

from jobs.queues.connection import store_errors
from jobs.queues.ended import JobEnded
from jobs.supervision import Supervisor

READ_AGAIN_EVERY_SECONDS = 1
"""Pub/sub may drop a message, so the records of awaited jobs are read this often."""
TICK_SECONDS = 0.1
READ_AT_ONCE = 250
"""Records read in one call, so that posts do not wait long behind it."""


class JobStatus(Protocol):
    @property
    def ended(self) -> bool: ...


class JobRecord(Protocol):
    """The record of a job of any kind."""

    @property
    def id(self) -> str: ...
    @property
    def owner(self) -> str: ...
    @property
    def status(self) -> JobStatus: ...


R = TypeVar("R", bound=JobRecord)
ReadRecords: TypeAlias = Callable[[Sequence[str], str], Sequence[JobRecord | Exception | None]]
"""Reads the records of jobs of one kind, and registers a channel for messages about their end."""


class WaitingCaller(Generic[R]):
    """One caller, registered until the end of the block: `with waiting.enter(record) as caller`."""

    def __init__(self, waiting: "WaitingCallers", record: R) -> None:
        self._waiting = waiting
        self.record = record
        self.result = AsyncResult()
        self.until = math.inf

    def __enter__(self) -> "WaitingCaller[R]":
        return self

    def __exit__(self, *_: object) -> None:
        self._waiting.leave(self)

    def wait(self, seconds: float) -> R | None:
        """Returns the record of the ended job; None after `seconds`, or if the process stops."""
        self.begin(self.record, seconds)
        record: R | None = self.result.get()
        return record

    def begin(self, record: R, seconds: float) -> None:
        """The job is accepted; from now on the wait may end without it."""
        self.record = record
        self.until = self._waiting.clock() + seconds
        if self._waiting.closed:
            self.result.set(None)


class WaitingCallers:
    """Subscribes to the channel of this process, and wakes the callers whose jobs have ended.

    `readers` are by the prefix of the ids that they read, as in `pred_`.
    """

    def __init__(
        self,
        redis: Redis,
        readers: Mapping[str, ReadRecords],
        channel: str,
        max_callers: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.channel = channel
        self.clock = clock
        self._redis = redis
        self._readers = readers
        self._max_callers = max_callers
        self.by_job: dict[str, list[WaitingCaller[Any]]] = {}
        """The registered callers, by the id of their job."""
        self._callers = 0
        self.closed = False

    def start(self, supervisor: Supervisor) -> None:
        supervisor.start("subscription", self._listen)
        supervisor.start("reading again", self._read_again)
        supervisor.start("ends of waits", self._end_waits)

    @property
    def accepting(self) -> bool:
        return not self.closed and self._callers < self._max_callers

    def enter(self, record: R) -> WaitingCaller[R] | None:
        """Registers a caller. Returns None if too many wait already or the process stops: then do not wait.

        Call it before `channel` is registered with the job, or the message may be missed.
        """
        if not self.accepting:
            return None
        caller = WaitingCaller(self, record)
        self.by_job.setdefault(record.id, []).append(caller)
        self._callers += 1
        return caller

    def leave(self, caller: WaitingCaller[Any]) -> None:
        self._callers -= 1
        callers = self.by_job[caller.record.id]
        callers.remove(caller)
        if not callers:
            del self.by_job[caller.record.id]

    def wake_all(self) -> None:
        """Wakes all callers, and accepts no more."""
        self.closed = True
        for callers in self.by_job.values():
            for caller in callers:
                if caller.until < math.inf:
                    caller.result.set(None)

    def _listen(self) -> None:
        subscribing: Any = self._redis.pubsub
        with store_errors(), subscribing(ignore_subscribe_messages=True) as subscription:
            subscription.subscribe(self.channel)
            for message in subscription.listen():
                self._receive(message["data"])

    def _receive(self, message: bytes) -> None:
        not_inlined = []
        try:
            jobs = list(JobEnded.read_all(message))
        except ValueError:  # a record is not as we write it; the others are read again within a second
            return
        for ended in jobs:
            if ended.inlined:
                for caller in self.by_job.get(ended.job_id, ()):
                    caller.result.set(caller.record.after(ended))
            else:
                not_inlined.append(ended.job_id)
        self._read(not_inlined)

    def _read_again(self) -> None:
        while True:
            gevent.sleep(READ_AGAIN_EVERY_SECONDS)
            self._read(self.by_job)

    def _end_waits(self) -> None:
        """One clock for all callers: a timer for each costs a tenth of a request's time."""
        while True:
            gevent.sleep(TICK_SECONDS)
            now = self.clock()
            for callers in list(self.by_job.values()):
                for caller in callers:
                    if caller.until <= now:
                        caller.result.set(None)

    def _read(self, job_ids: Iterable[str]) -> None:
        """Reads the records, and wakes the callers whose jobs have ended."""
        by_kind: defaultdict[str, list[str]] = defaultdict(list)
        for job_id in job_ids:
            by_kind[job_id[: job_id.index("_") + 1]].append(job_id)
        for prefix, ids in by_kind.items():
            for start in range(0, len(ids), READ_AT_ONCE):
                for record in self._readers[prefix](ids[start : start + READ_AT_ONCE], self.channel):
                    if record is not None and not isinstance(record, Exception) and record.status.ended:
                        for caller in self.by_job.get(record.id, ()):
                            caller.result.set(record)
