"""Accepts predictions, waits for them, and reads, lists, cancels and deletes jobs. Knows nothing of HTTP."""

from collections.abc import Callable, Sequence
from enum import StrEnum
from typing import Any, Generic, NamedTuple, Protocol, TypeAlias, TypeVar

import gevent
import orjson
from gevent.event import AsyncResult

from jobs import ids
from jobs.errors import JobsError, QueueFull, StoreUnavailable, TooManyWaiting
from jobs.ids import trace_fields
from jobs.logs import Journal
from jobs.predictions.record import Accepted, NewPrediction, PredictionRecord, Row
from jobs.predictions.resource import retry_after
from jobs.predictions.status import PredictionStatus
from jobs.predictions.store import PredictionStore, bytes_of, queued_record
from jobs.queues.idempotency import IdempotencyKey
from jobs.queues.queue import SendWakeUp, try_wake_up
from model.description.manifest import Manifest
from web.capacity_watch import CapacityWatch
from web.errors import ExpiredJob, JobConflict, NotScored, UnknownJob
from web.waiting import JobRecord, R, WaitingCallers

LONGEST_WAIT_SECONDS = 25
LARGEST_GROUP = 128
LONGEST_GATHERING_SECONDS = 0.01
READS_PER_PAGE = 20
"""Calls of the store at most for one page of a list, if few jobs have the wanted status."""

Argument = TypeVar("Argument")
Result = TypeVar("Result")
R_co = TypeVar("R_co", bound=JobRecord, covariant=True)


class GroupCommit(Generic[Argument, Result]):
    """Groups calls into one round trip: while one is under way, the calls that arrive form the next group."""

    def __init__(self, call: Callable[[Sequence[Argument]], Sequence[Result | Exception]]) -> None:
        self._call = call
        self._gathered: list[tuple[Argument, AsyncResult]] = []
        self._under_way = False

    def __call__(self, argument: Argument) -> Result:
        """Raises what the shared call raised, or the exception that it gave for this argument."""
        result = AsyncResult()
        self._gathered.append((argument, result))
        if not self._under_way:
            self._under_way = True
            gevent.spawn(self._run)
        value: Result = result.get()
        return value

    def _run(self) -> None:
        while self._gathered:
            gevent.sleep(0)
            if len(self._gathered) > 1:  # under load, first read all requests that have arrived
                with gevent.Timeout(LONGEST_GATHERING_SECONDS, False):
                    gevent.idle()
            group, self._gathered = self._gathered[:LARGEST_GROUP], self._gathered[LARGEST_GROUP:]
            try:
                values = self._call([argument for argument, _ in group])
                for (_, result), value in zip(group, values, strict=True):
                    if isinstance(value, Exception):
                        result.set_exception(value)
                    else:
                        result.set(value)
            except Exception as error:
                if isinstance(error, StoreUnavailable):  # the next group would only fail later
                    group, self._gathered = group + self._gathered, []
                for _, result in group:
                    result.set_exception(error)
        self._under_way = False


class Admission:
    """Accepts predictions in groups, or refuses them."""

    def __init__(
        self, store: PredictionStore, watch: CapacityWatch, send_wake_up: SendWakeUp, journal: Journal
    ) -> None:
        self._store = store
        self._watch = watch
        self._send_wake_up = send_wake_up
        self._journal = journal
        self._add: GroupCommit[NewPrediction, Accepted] = GroupCommit(self._add_group)

    def add(self, job: NewPrediction) -> Accepted:
        """Returns once the job is recorded and in its queue.

        Raises QueueFull, RateLimited, TooManyWaiting, TooManyRows, IdempotencyKeyReused or StoreUnavailable.
        """
        watch, size = self._watch, bytes_of(job)
        if watch.room < size:
            raise watch.set_retry_after(QueueFull("Redis is nearly full; try again later"), size)
        watch.room -= size
        try:
            return self._add(job)
        except JobsError as error:
            watch.room += size
            if isinstance(error, QueueFull):
                watch.set_retry_after(error)
            elif isinstance(error, TooManyWaiting):
                error.retry_after = retry_after(watch.capacity, error.rows)
            raise

    def _add_group(self, jobs: Sequence[NewPrediction]) -> list[Accepted | JobsError]:
        verdicts, wake_ups = self._store.add(jobs)
        for wake_up in wake_ups:
            gevent.spawn(try_wake_up, self._send_wake_up, wake_up)
        if self._watch.awakening.asleep:
            self._watch.awakening.work_arrived()
        accepted = (
            {"request_id": job.request_id, "job_id": job.id, "model": job.model, "rows": job.rows}
            | trace_fields(job.traceparent)
            for job, verdict in zip(jobs, verdicts, strict=True)
            if isinstance(verdict, Accepted) and not verdict.replayed
        )
        self._journal.note("accepted", accepted)
        return verdicts


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

    def _replayed(self, job_id: str, wait_seconds: float = 0) -> R:
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


class PredictionRequest(NamedTuple):
    """A valid request: one row or a list of rows, in the order of the features."""

    manifest: Manifest
    inputs: Row | list[Row]
    rows: int
    metadata: dict[str, str]
    request_id: str
    explain: bool = False
    start_within_ms: int | None = None
    idempotency_key: IdempotencyKey | None = None
    webhook: str = ""
    traceparent: str = ""


class Submitted(NamedTuple, Generic[R]):
    """If `replayed`, the job is that of an earlier request with the same Idempotency-Key."""

    record: R
    replayed: bool


class Scored(NamedTuple):
    job_id: str
    outputs: bytes
    """JSON."""


class PredictionSubmission(JobSubmission[PredictionRecord]):
    noun = "prediction"
    prefix = ids.PREDICTION
    cancelable = "is queued"
    canceled = frozenset({PredictionStatus.CANCELED})

    def __init__(
        self,
        store: PredictionStore,
        admission: Admission,
        watch: CapacityWatch,
        waiting: WaitingCallers,
        new_id: Callable[[str], str] = ids.new_id,
    ) -> None:
        super().__init__(store, store.list_jobs, waiting, watch)
        self._store = store
        self._admission = admission
        self._new_id = new_id

    def submit(
        self, request: PredictionRequest, owner: str, wait_seconds: float
    ) -> Submitted[PredictionRecord]:
        """Accepts a prediction, and waits up to `wait_seconds` for its end.

        Raises JobConflict, and what admission raises.
        """
        job = self._new_job(request, owner)
        del request  # and its rows: the caller may wait long
        caller = self._waiting.enter(queued_record(job)) if wait_seconds else None
        if caller is None:
            accepted = self._admission.add(job)
            if not accepted.replayed:
                return Submitted(queued_record(job, accepted), replayed=False)
            return Submitted(self._replayed(accepted.id, wait_seconds), replayed=True)
        with caller:
            job.watcher = self._waiting.channel
            accepted = self._admission.add(job)
            record = None if accepted.replayed else caller.wait(wait_seconds)
        if accepted.replayed:
            return Submitted(self._replayed(accepted.id, wait_seconds), replayed=True)
        if record and accepted.deadline:
            record = record._replace(deadline=accepted.deadline)
        if record is None:
            try:
                record = self._existing(self._read(job.id))
            except StoreUnavailable:  # the job is still known to be accepted
                record = queued_record(job, accepted)
        return Submitted(record, replayed=False)

    def score(self, request: PredictionRequest, owner: str) -> Scored:
        """Waits for the scores. Raises NotScored if there are none in time; cancels a job still queued."""
        if not self._waiting.accepting:
            raise NotScored("too many callers wait here; try again", retry_after=1)
        record = self.submit(request, owner, self.longest_wait).record
        if record.outputs:
            return Scored(record.id, record.outputs)
        if record.status.ended:
            reason = orjson.loads(record.error or b"{}").get("detail", "the prediction was canceled")
        elif self._store.cancel(record.id) is PredictionStatus.CANCELED:
            reason = "no worker took the prediction in time; it is canceled"
        else:
            reason = "the prediction was not scored in time"
        capacity = self._capacity_watch.capacity
        raise NotScored(reason, retry_after(capacity, capacity.rows))

    def _new_job(self, request: PredictionRequest, owner: str) -> NewPrediction:
        manifest = request.manifest
        return NewPrediction(
            id=self._new_id(ids.PREDICTION),
            model=manifest.ref,
            sha256=manifest.sha256,
            owner=owner,
            inputs=orjson.dumps(request.inputs),
            rows=request.rows,
            explained_values=request.rows * len(manifest.schema.names) if request.explain else 0,
            metadata=orjson.dumps(request.metadata) if request.metadata else b"",
            start_within_ms=request.start_within_ms,
            idempotency=request.idempotency_key,
            request_id=request.request_id,
            traceparent=request.traceparent,
            webhook=request.webhook,
        )
