"""The store of predictions as web sees it: jobs go in, records come out."""

from collections.abc import Sequence
from uuid import uuid4

from redis import Redis

from jobs import ids
from jobs.errors import (
    IdempotencyKeyReused,
    JobsError,
    NotRetryable,
    QueueFull,
    RateLimited,
    TooManyRows,
    TooManyWaiting,
    UnknownRecord,
)
from jobs.predictions.record import Accepted, NewPrediction, PredictionRecord
from jobs.predictions.status import PredictionStatus
from jobs.queues.capacity import JOB_BYTES, OUTPUT_BYTES
from jobs.queues.idempotency import IdempotencyKey
from jobs.queues.names import EXPLANATIONS, PREDICTION, PREDICTIONS
from jobs.queues.queue import JobStore, first_members
from jobs.queues.script_calls import Script, decode_all
from jobs.settings import Settings

VERSION = b"1"

CONTRIBUTION_BYTES = 40
"""What the contribution of one value takes in Redis, in bytes."""


class PredictionStore(JobStore[PredictionRecord, PredictionStatus]):
    """Every method raises StoreUnavailable if Redis does not answer in time."""

    def __init__(self, redis: Redis, settings: Settings) -> None:
        super().__init__(redis, settings, PREDICTION, decode_record, PredictionStatus)
        self._in_turns = "1" if settings.has_keys else ""
        self._add = Script(redis, "predictions/add")
        self._read_failed = Script(redis, "predictions/read_failed")

    def add(self, jobs: Sequence[NewPrediction]) -> tuple[list[Accepted | JobsError], list[str]]:
        """Records the jobs and adds them to their queues, in one step.

        Returns for each job how it was accepted or why it was refused, and the wake-ups to send. Adding a job
        again changes nothing.
        """
        reply = self._add(
            (_item(job, self._event_targets) for job in jobs),
            max_waiting=self._settings.max_waiting,
            max_rows_per_owner=self._settings.max_waiting_rows_per_key,
            in_turns=self._in_turns,
            alone="1" if len(jobs) == 1 else "",
            rows_per_minute=self._settings.rows_per_minute,
            retention_ms=self.retention_ms,
            wake_up_name=uuid4().hex,
        )
        ahead = dict(zip(reply.ahead[::2], reply.ahead[1::2], strict=True))
        verdicts: list[Accepted | JobsError] = []
        for job, verdict in zip(jobs, reply.verdicts, strict=True):
            queue = _queue_of(job).encode()
            parts = (verdict,) if isinstance(verdict, bytes) else verdict
            accepted = _accepted(job, ahead.get(queue, 0), *parts)
            if isinstance(accepted, Accepted) and not accepted.replayed:
                ahead[queue] = ahead.get(queue, 0) + job.rows
            verdicts.append(accepted)
        return verdicts, decode_all(reply.wake_ups)

    def retry(self, job_id: str) -> tuple[str, list[str]]:
        """Adds a job that tries a failed one again, once. Returns its id and the wake-ups to send.

        Raises NotRetryable, and what refuses a new job.
        """
        failed = self._read_failed(id=job_id)
        if failed.status is None:
            raise NotRetryable(f"there is no prediction {job_id}")
        if failed.status.decode() != PredictionStatus.FAILED or failed.inputs is None:
            raise NotRetryable(
                f"only a prediction that failed can be tried again; this one is {failed.status.decode()}"
            )
        rows = int(failed.rows or 1)
        job = NewPrediction(
            id=ids.new_id(ids.PREDICTION),
            model=failed.model.decode(),
            sha256=failed.sha.hex(),
            owner=failed.owner.decode(),
            inputs=failed.inputs,
            rows=rows,
            metadata=failed.metadata or b"",
            idempotency=IdempotencyKey.of("retry", job_id, b""),
            explained_values=rows if failed.queue == EXPLANATIONS.name.encode() else 0,
            webhook=(failed.webhook or b"").decode(),
            retry_of=job_id,
        )
        [verdict], wake_ups = self.add([job])
        if isinstance(verdict, JobsError):
            raise verdict
        return verdict.id, wake_ups


def _queue_of(job: NewPrediction) -> str:
    return EXPLANATIONS.name if job.explained_values else PREDICTIONS.name


def _item(job: NewPrediction, targets: tuple[str, ...]) -> tuple[str | bytes | int, ...]:
    """The members of an item, in the order in which predictions/add.lua declares them."""
    return (*first_members(job, targets), job.inputs, job.rows, job.watcher, _queue_of(job))


def _accepted(
    job: NewPrediction, rows_ahead: int, verdict: bytes, detail: bytes = b"", its_rows_ahead: bytes = b""
) -> Accepted | JobsError:
    match verdict:
        case b"ok":
            return Accepted(
                job.id, int(its_rows_ahead or rows_ahead), deadline=int(detail) if detail else None
            )
        case b"same":
            return Accepted(detail.decode(), replayed=True)
        case b"reused":
            return IdempotencyKeyReused()
        case b"full":
            return QueueFull()
        case b"too_many_rows":
            return TooManyRows()
        case b"waiting":
            return TooManyWaiting(int(detail))
        case b"unreadable":
            return UnknownRecord("what Redis has of this key is not as Paygrade writes it; ask its operator")
    return RateLimited(retry_after=int(detail))


def bytes_of(job: NewPrediction) -> int:
    """Roughly what the job takes in Redis until its record expires."""
    outputs = OUTPUT_BYTES * job.rows + CONTRIBUTION_BYTES * job.explained_values
    return JOB_BYTES + len(job.inputs) + outputs


def queued_record(job: NewPrediction, accepted: Accepted | None = None) -> PredictionRecord:
    """The record as it is once the job has been added, or is about to be."""
    return PredictionRecord(
        id=job.id,
        status=PredictionStatus.QUEUED,
        model=job.model,
        sha256=job.sha256,
        owner=job.owner,
        attempt=0,
        started=None,
        finished=None,
        expires=None,
        outputs=None,
        error=None,
        metadata=job.metadata or b"{}",
        deadline=accepted and accepted.deadline,
        position=accepted and accepted.rows_ahead + 1,
        explained=bool(job.explained_values),
        rows=job.rows,
        retry_of=job.retry_of,
    )


def decode_record(job_id: str, values: Sequence[bytes | None]) -> PredictionRecord:
    """`values` as read_current of prediction.lua returns them. Raises UnknownRecord."""
    version, status, model, sha, owner, attempt, started, finished, expires, *rest = values
    if version != VERSION or not (status and model and sha and owner):
        raise UnknownRecord
    outputs, error, metadata, deadline, position, queue, rows, retry_of = rest
    return PredictionRecord(
        id=job_id,
        status=PredictionStatus(status.decode()),
        model=model.decode(),
        sha256=sha.hex(),
        owner=owner.decode(),
        attempt=int(attempt or 0),
        started=int(started) if started else None,
        finished=int(finished) if finished else None,
        expires=int(expires) if expires else None,
        outputs=outputs,
        error=error,
        metadata=metadata or b"{}",
        deadline=int(deadline) if deadline else None,
        position=int(position) if position else None,
        explained=queue == EXPLANATIONS.name.encode(),
        rows=int(rows or 1),
        retry_of=retry_of.decode() if retry_of else "",
    )
