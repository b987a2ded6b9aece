"""The record of a prediction: what Redis keeps of it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from jobs import ids
from jobs.errors import UnknownRecord
from jobs.predictions.status import PredictionStatus
from jobs.queues.capacity import JOB_BYTES, OUTPUT_BYTES
from jobs.queues.ended import JobEnded
from jobs.queues.idempotency import IdempotencyKey
from jobs.queues.names import EXPLANATIONS

VERSION = b"1"

CONTRIBUTION_BYTES = 40
"""What the contribution of one value takes."""
Row: TypeAlias = list[Any]
"""The values of one row, in the order of the model's features."""


@dataclass(slots=True)
class NewPrediction:
    """A prediction as admission accepts it; inputs and metadata are JSON.

    `watcher` is the channel to inform when it ends. `explained_values` is how many values are to be
    explained,
    0 for none. `request_id` is for the log only.
    """

    id: str
    model: str
    sha256: str
    owner: str
    inputs: bytes
    rows: int
    metadata: bytes = b""
    watcher: str = ""
    start_within_ms: int | None = None
    idempotency: IdempotencyKey | None = None
    explained_values: int = 0
    request_id: str = ""

    @property
    def size(self) -> int:
        """Roughly the bytes that it takes in Redis until its record expires."""
        outputs = OUTPUT_BYTES * self.rows + CONTRIBUTION_BYTES * self.explained_values
        return JOB_BYTES + len(self.inputs) + outputs


class Accepted(NamedTuple):
    """The job waits behind `rows_ahead`; or, `replayed`, its Idempotency-Key stands for the job `id`."""

    id: str
    rows_ahead: int = 0
    deadline: int | None = None
    replayed: bool = False


class PredictionRecord(NamedTuple):
    """Times are milliseconds since 1970, UTC; `outputs` and `error` are JSON, as callers see them.

    `position` is the place in its queue, in rows, of a job that is queued: 1 is next.
    """

    id: str
    status: PredictionStatus
    model: str
    sha256: str
    owner: str
    attempt: int
    started: int | None
    finished: int | None
    expires: int | None
    outputs: bytes | None
    error: bytes | None
    metadata: bytes
    deadline: int | None = None
    position: int | None = None
    explained: bool = False
    rows: int = 1

    @property
    def created(self) -> int:
        return ids.created_ms(self.id)

    @property
    def rows_left(self) -> int:
        """Of a job that is queued: how many rows are to be scored until its own are."""
        return (self.position or 1) - 1 + self.rows

    @classmethod
    def decode(cls, job_id: str, values: Sequence[bytes | None]) -> "PredictionRecord":
        """`values` as read_record of prediction.lua returns them. Raises UnknownRecord."""
        version, status, model, sha, owner, attempt, started, finished, expires, *rest = values
        if version != VERSION or not (status and model and sha and owner):
            raise UnknownRecord
        outputs, error, metadata, deadline, position, queue, rows = rest
        return cls(
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
        )

    def ended(self, message: JobEnded) -> "PredictionRecord":
        """The record after its job has ended, as an inlined message says."""
        return self._replace(
            status=PredictionStatus(message.status),
            attempt=message.attempt,
            started=message.started,
            finished=message.finished,
            expires=message.expires,
            outputs=message.outputs or None,
            error=message.error or None,
            position=None,
        )

    @classmethod
    def queued(cls, job: NewPrediction, accepted: Accepted | None = None) -> "PredictionRecord":
        """The record as it is once the job has been added, or is about to be."""
        return cls(
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
        )
