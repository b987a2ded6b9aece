"""Admission: accepts predictions in groups, or refuses them. Knows nothing of HTTP."""

from collections.abc import Callable, Sequence

import gevent

from jobs.errors import JobsError, QueueFull, TooManyWaiting
from jobs.ids import trace_fields
from jobs.logs import Journal
from jobs.predictions.record import Accepted, NewPrediction, PredictionRecord
from jobs.predictions.resource import retry_after
from jobs.predictions.store import PredictionStore, bytes_of, queued_record
from jobs.queues.queue import SendWakeUp, try_wake_up
from web.capacity_watch import CapacityWatch
from web.group_commit import GroupCommit, Result, deliver
from web.waiting import WaitingCaller


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
