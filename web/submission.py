"""What predictions and batches have in common: reads, waits for, lists, cancels and deletes jobs.

Calls of the store that arrive together share one round trip. Knows nothing of HTTP.
"""

from collections.abc import Callable, Sequence
from enum import StrEnum
from functools import partial
from typing import Any, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

import gevent
from gevent.event import AsyncResult

from jobs import ids
from jobs.errors import StoreUnavailable
from jobs.queues.names import Kind
from web.capacity_watch import CapacityWatch
from web.errors import ExpiredJob, JobConflict, QueueNotServed, UnknownJob
from web.waiting import JobRecord, R, WaitingCallers

LONGEST_WAIT_SECONDS = 25
READS_PER_PAGE = 20
"""Calls of the store at most for one page of a list, if few jobs have the wanted status."""
LARGEST_GROUP = 128
LONGEST_GATHERING_SECONDS = 0.01

Argument = TypeVar("Argument")
Result = TypeVar("Result")
R_co = TypeVar("R_co", bound=JobRecord, covariant=True)


class PageQuery(NamedTuple):
    """A page of a list: the jobs after the id `cursor`, of one status or of any."""

    cursor: str | None
    status: str | None
    limit: int


class JobRecords(Protocol[R_co]):
    @property
    def retention_ms(self) -> int: ...
    def read(self, job_ids: Sequence[str], watcher: str = "", /) -> Sequence[R_co | Exception | None]: ...
    def cancel(self, job_id: str, /) -> StrEnum | None: ...
    def delete(self, job_id: str, /) -> Any: ...


ListJobs: TypeAlias = Callable[[str, str | None, str | None, int], tuple[list[R], str | None]]
"""Takes owner, id to continue after, status and limit. Returns jobs, and the id to continue after."""


class JobSubmission(Generic[R]):
    """What predictions and batches have in common. `noun` is for messages, `prefix` begins the ids."""

    noun: str
    prefix: str
    kind: Kind
    cancelable: str
    canceled: frozenset[StrEnum]
    """The statuses in which a cancel may leave a job."""

    def __init__(
        self,
        store: JobRecords[R],
        list_jobs: ListJobs[R],
        waiting: WaitingCallers,
        watch: CapacityWatch,
    ) -> None:
        self._capacity_watch = watch
        self._jobs = store
        self._list_jobs = list_jobs
        self._waiting = waiting
        self._read: GroupCommit[str, R | None] = GroupCommit(store.read)
        self._read_and_watch: GroupCommit[str, R | None] = GroupCommit(
            lambda job_ids: store.read(job_ids, waiting.channel)
        )

    def check_served(self) -> None:
        """Raises QueueNotServed."""
        if self.kind.name not in self._capacity_watch.served:
            raise QueueNotServed(self.kind)

    @property
    def longest_wait(self) -> int:
        """Seconds that a caller may wait: longer while a worker is started."""
        watch = self._capacity_watch
        if watch.capacity.start_seconds is None:
            return LONGEST_WAIT_SECONDS
        return watch.awakening.longest_wait

    def read(self, job_id: str, owner: str, wait_seconds: float = 0) -> R:
        """Reads the record; waits up to `wait_seconds` for its end. Raises UnknownJob or ExpiredJob."""
        ids.check(job_id, self.prefix)
        record = self._read(job_id)
        if record is None and ids.older_than(job_id, self._jobs.retention_ms):
            raise ExpiredJob(f"this {self.noun} has expired and was removed")
        if record is None or record.owner != owner:
            raise UnknownJob(f"there is no such {self.noun}")
        return self._wait(record, wait_seconds) if wait_seconds else record

    def list(self, owner: str, page: PageQuery) -> tuple[list[R], str | None]:
        """Returns the jobs of the page, newest first, and the cursor of the next; None on the last page."""
        records: list[R] = []
        cursor = page.cursor
        for _ in range(READS_PER_PAGE):
            more, cursor = self._list_jobs(owner, cursor, page.status, page.limit - len(records))
            records += more
            if cursor is None or len(records) == page.limit:
                break
        return records, cursor

    def cancel(self, job_id: str, owner: str) -> R:
        """Raises UnknownJob, ExpiredJob, or JobConflict if it is too late."""
        self.read(job_id, owner)
        status = self._jobs.cancel(job_id)
        if status not in self.canceled:
            raise JobConflict(
                f"only a {self.noun} that {self.cancelable} can be canceled; "
                f"this one is {status or 'deleted'}"
            )
        return self.read(job_id, owner)

    def delete(self, job_id: str, owner: str) -> None:
        """Raises UnknownJob, ExpiredJob, or JobConflict if the job has not ended."""
        self.read(job_id, owner)
        status = self._jobs.delete(job_id)
        if status is None:
            raise UnknownJob(f"there is no such {self.noun}")
        if not status.ended:
            raise JobConflict(f"only a {self.noun} that has ended can be deleted; this one is {status}")

    def read_known(self, job_id: str, wait_seconds: float = 0) -> R:
        """The record of the job that an Idempotency-Key stands for. Raises JobConflict if it was deleted."""
        record = self._read(job_id)
        if record is None:
            raise JobConflict(
                f"the {self.noun} of this Idempotency-Key has just been deleted; send the request again"
            )
        return self._wait(record, wait_seconds) if wait_seconds else record

    def _wait(self, record: R, seconds: float) -> R:
        """Returns the record as soon as the job has ended, or as it is after `seconds`."""
        caller = None if record.status.ended else self._waiting.enter(record)
        if caller is None:
            return record
        with caller:
            now = self._existing(self._read_and_watch(record.id))
            if now.status.ended:
                return now
            return caller.wait(seconds) or self._existing(self._read(record.id))

    def _existing(self, record: R | None) -> R:
        """Raises UnknownJob for a job that was deleted while its caller waited."""
        if record is None:
            raise UnknownJob(f"this {self.noun} was deleted meanwhile")
        return record


class Submitted(NamedTuple, Generic[R]):
    """If `replayed`, the job is that of an earlier request with the same Idempotency-Key."""

    record: R
    replayed: bool


class GroupCommit(Generic[Argument, Result]):
    """Groups calls into one round trip: while one is under way, the calls that arrive form the next group."""

    def __init__(self, call: Callable[[Sequence[Argument]], Sequence[Result | Exception]]) -> None:
        self._call = call
        self._last_size = 0
        self._called = AsyncResult()
        self._runner: gevent.Greenlet | None = None
        self._gathered: list[tuple[Argument, Callable[[Result | Exception], None]]] = []
        self._under_way = False

    def __call__(self, argument: Argument) -> Result:
        """Raises what the shared call raised, or the exception that it gave for this argument."""
        result = AsyncResult()
        self.send(argument, partial(deliver, result))
        value: Result = result.get()
        return value

    def send(self, argument: Argument, take: Callable[[Result | Exception], None]) -> None:
        """Passes to `take` what a call would return or raise, later or now."""
        self._gathered.append((argument, take))
        if self._under_way:
            return
        self._under_way = True
        try:
            if self._last_size == 1:  # a caller who is alone need not wait for others
                self._commit()
        finally:  # also if the greenlet of this caller was ended meanwhile
            self._go_on()

    def _go_on(self) -> None:
        if not self._gathered:
            self._under_way = False
            return
        if not self._runner:  # to start a greenlet for each group would take longer than to gather it
            self._runner = gevent.spawn(self._run)
        self._called.set(None)

    def _run(self) -> None:
        while True:
            self._called.get()
            self._called = AsyncResult()
            while self._gathered:
                gevent.sleep(0)
                if len(self._gathered) > 1:  # under load, first read all requests that have arrived
                    with gevent.Timeout(LONGEST_GATHERING_SECONDS, False):
                        gevent.idle()
                self._commit()
            self._under_way = False

    def _commit(self) -> None:
        group, self._gathered = self._gathered[:LARGEST_GROUP], self._gathered[LARGEST_GROUP:]
        self._last_size = len(group)
        try:
            values = self._call([argument for argument, _ in group])
            for (_, take), value in zip(group, values, strict=True):
                take(value)
        except Exception as error:
            if isinstance(error, StoreUnavailable):  # the next group would only fail later
                group, self._gathered = group + self._gathered, []
            for _, take in group:
                take(error)


def deliver(result: AsyncResult, value: object) -> None:
    """Wakes whoever waits for the result, which is raised if it is an exception."""
    if isinstance(value, Exception):
        result.set_exception(value)
    else:
        result.set(value)
