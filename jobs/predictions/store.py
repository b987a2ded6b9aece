"""The store of predictions as web sees it: jobs go in, records come out."""

from collections.abc import Sequence
from uuid import uuid4

from redis import Redis

from jobs import ids
from jobs.errors import (
    IdempotencyKeyReused,
    JobsError,
    QueueFull,
    RateLimited,
    TooManyRows,
)
from jobs.predictions.record import Accepted, NewPrediction, PredictionRecord
from jobs.predictions.status import PredictionStatus
from jobs.queues.idempotency import NO_KEY
from jobs.queues.names import EXPLANATIONS, PREDICTION, PREDICTIONS
from jobs.queues.queue import JobStore, Script, texts
from jobs.settings import Settings


class PredictionStore(JobStore[PredictionRecord, PredictionStatus]):
    """Every method raises StoreUnavailable if Redis does not answer in time."""

    def __init__(self, redis: Redis, settings: Settings) -> None:
        super().__init__(redis, settings, PREDICTION, PredictionRecord.decode, PredictionStatus)
        self._add = Script(redis, "predictions/add")

    def add(self, jobs: Sequence[NewPrediction]) -> tuple[list[Accepted | JobsError], list[str]]:
        """Records the jobs and adds them to their queues, in one step.

        Returns for each job how it was accepted or why it was refused, and the wake-ups to send. Adding a job
        again changes nothing.
        """
        reply = self._add(
            map(_item, jobs),
            max_waiting=self._settings.max_waiting,
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
        return verdicts, texts(reply.wake_ups)


def _queue_of(job: NewPrediction) -> str:
    return EXPLANATIONS.name if job.explained_values else PREDICTIONS.name


def _item(job: NewPrediction) -> tuple[str | bytes | int, ...]:
    """As predictions/add.lua names them."""
    return (
        job.id,
        ids.raw(job.id),
        job.model,
        bytes.fromhex(job.sha256),
        job.owner,
        job.inputs,
        job.rows,
        job.metadata,
        job.watcher,
        _queue_of(job),
        "" if job.start_within_ms is None else job.start_within_ms,
        *(job.idempotency or NO_KEY),
    )


def _accepted(
    job: NewPrediction, rows_ahead: int, verdict: bytes, detail: bytes = b""
) -> Accepted | JobsError:
    match verdict:
        case b"ok":
            return Accepted(job.id, rows_ahead, deadline=int(detail) if detail else None)
        case b"same":
            return Accepted(detail.decode(), replayed=True)
        case b"reused":
            return IdempotencyKeyReused()
        case b"full":
            return QueueFull()
        case b"too_many_rows":
            return TooManyRows()
    return RateLimited(retry_after=int(detail))
