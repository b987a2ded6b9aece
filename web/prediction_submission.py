"""Accepts predictions in groups, or refuses them, and waits for their scores. Knows nothing of HTTP."""

from collections.abc import Callable, Sequence
from typing import NamedTuple

import gevent
import orjson

from jobs import ids
from jobs.errors import JobsError, QueueFull, StoreUnavailable, TooManyWaiting
from jobs.ids import trace_fields
from jobs.logs import Journal
from jobs.predictions.record import Accepted, NewPrediction, PredictionRecord, Row
from jobs.predictions.resource import retry_after
from jobs.predictions.status import PredictionStatus
from jobs.predictions.store import PredictionStore, bytes_of, queued_record
from jobs.queues.idempotency import IdempotencyKey
from jobs.queues.names import PREDICTION
from jobs.queues.queue import SendWakeUp, try_wake_up
from model.description.manifest import Manifest
from web.capacity_watch import CapacityWatch
from web.errors import NotScored
from web.submission import GroupCommit, JobSubmission, Result, Submitted, deliver
from web.waiting import WaitingCaller, WaitingCallers


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


class Scored(NamedTuple):
    job_id: str
    outputs: bytes
    """JSON."""


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
        return self._in_room(job, self._add)

    def add_and_wait(
        self, job: NewPrediction, caller: WaitingCaller[PredictionRecord], seconds: float
    ) -> Accepted | PredictionRecord | None:
        """Returns the record of the ended job; None after `seconds`, or if the process stops.

        Returns Accepted if the job is that of an earlier request. Raises as `add`.
        """

        def take(verdict: Accepted | Exception) -> None:
            if isinstance(verdict, Accepted) and not verdict.replayed:
                caller.begin(queued_record(job, verdict), seconds)
            else:
                deliver(caller.result, verdict)

        def add_and_wait(job: NewPrediction) -> Accepted | PredictionRecord | None:
            self._add.send(job, take)
            answer: Accepted | PredictionRecord | None = caller.result.get()
            return answer

        return self._in_room(job, add_and_wait)

    def _in_room(self, job: NewPrediction, add: Callable[[NewPrediction], Result]) -> Result:
        watch, size = self._watch, bytes_of(job)
        if watch.room < size:
            raise watch.set_retry_after(QueueFull("Redis is nearly full; try again later"), size)
        watch.room -= size
        try:
            return add(job)
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


class PredictionSubmission(JobSubmission[PredictionRecord]):
    noun = "prediction"
    prefix = ids.PREDICTION
    kind = PREDICTION
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

        Raises QueueNotServed, JobConflict, and what admission raises.
        """
        self.check_served()
        job = self._new_job(request, owner)
        del request  # and its rows: the caller may wait long
        caller = self._waiting.enter(queued_record(job)) if wait_seconds else None
        if caller is None:
            accepted = self._admission.add(job)
            if not accepted.replayed:
                return Submitted(queued_record(job, accepted), replayed=False)
            return Submitted(self.read_known(accepted.id, wait_seconds), replayed=True)
        with caller:
            job.watcher = self._waiting.channel
            answer = self._admission.add_and_wait(job, caller, wait_seconds)
        if isinstance(answer, Accepted):
            return Submitted(self.read_known(answer.id, wait_seconds), replayed=True)
        if answer and answer.deadline is None and job.start_within_ms is not None:
            answer = None  # it ended before the verdict came, which says when the deadline is
        return Submitted(answer or self._accepted(caller.record), replayed=False)

    def _accepted(self, record: PredictionRecord) -> PredictionRecord:
        """The record as it is now; as it was, if the store cannot be read: the job is accepted anyway."""
        try:
            return self._existing(self._read(record.id))
        except StoreUnavailable:
            return record

    def score_or_cancel(self, request: PredictionRequest, owner: str) -> Scored:
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
