"""The record of a job: what Redis keeps of it, compact, and how it is read."""

import hashlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from jobs import ids
from jobs.errors import JobsError
from jobs.predictions.status import PredictionStatus

VERSION = b"1"
_UNTOLD = b"-"

OUTPUT_BYTES = 128
"""What the output of a row may take, with a warning or two: mostly more than its inputs do."""
CONTRIBUTION_BYTES = 40
"""What the contribution of one value takes."""
JOB_BYTES = 500
"""What a job takes besides."""

Row: TypeAlias = list[Any]
"""The values of one row, in the order of the model's features."""


class UnknownRecord(JobsError):
    """A record of this version cannot be read here: deploy workers and web of one release."""


@dataclass(slots=True)
class NewPrediction:
    """A job as the door accepts it; inputs and metadata are JSON.

    The watcher is the channel to be told when it ends. `once` is what the caller's Idempotency-Key comes to;
    `explained`, how many values are to be explained, 0 for none.
    The request's id is for the log only.
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
    once: "IdempotencyKey | None" = None
    explained: int = 0
    request_id: str = ""

    @property
    def size(self) -> int:
        """Roughly the bytes that it takes in Redis until its record expires."""
        return JOB_BYTES + len(self.inputs) + OUTPUT_BYTES * self.rows + CONTRIBUTION_BYTES * self.explained

    def arguments(self) -> tuple[str | bytes | int, ...]:
        """As scripts/add.lua takes them."""
        return (
            self.id,
            ids.raw(self.id),
            self.model,
            bytes.fromhex(self.sha256),
            self.owner,
            self.inputs,
            self.rows,
            self.metadata,
            self.watcher,
            self.explained or "",
            "" if self.start_within_ms is None else self.start_within_ms,
            *(self.once or _EVER),
        )


class IdempotencyKey(NamedTuple):
    """16 bytes of a hash of the key and its route, and 16 of a hash of the body."""

    key: bytes
    body: bytes

    @classmethod
    def of(cls, route: str, key: str, body: bytes) -> "IdempotencyKey":
        named = hashlib.sha256(f"{route} {key}".encode())
        return cls(named.digest()[:16], hashlib.sha256(body).digest()[:16])


_EVER = IdempotencyKey(b"", b"")


class Accepted(NamedTuple):
    """What the door did with a job: it waits behind `rows_ahead`, or the job `id` is the one of its key."""

    id: str
    rows_ahead: int = 0
    deadline: int | None = None
    replayed: bool = False


class PredictionRecord(NamedTuple):
    """Times are milliseconds since 1970, UTC; `outputs` and `error` are JSON, as callers see them.

    `position` is the place in its line, in rows, of a job that is queued: 1 is next. Those that are to be
    explained have a line of their own.
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
        """Of a job that is queued: how many are to be scored until the last of its own is."""
        return (self.position or 1) - 1 + self.rows

    @classmethod
    def decode(cls, job_id: str, values: Sequence[bytes | None]) -> "PredictionRecord":
        """`values` as scripts/read.lua gives them."""
        version, status, model, sha, owner, attempt, started, finished, expires, *rest = values
        if version != VERSION or not (status and model and sha and owner):
            raise UnknownRecord
        outputs, error, metadata, deadline, position, explained, rows = rest
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
            explained=bool(explained),
            rows=int(rows or 1),
        )

    def ended(self, told: "JobEnded") -> "PredictionRecord":
        """The record after what its watcher was told."""
        return self._replace(
            status=told.status,
            attempt=told.attempt,
            started=told.started,
            finished=told.finished,
            expires=told.expires,
            outputs=told.outputs or None,
            error=told.error or None,
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
            explained=bool(job.explained),
            rows=job.rows,
        )


class JobEnded(NamedTuple):
    """How a job ended, as those who watch it are told. Long outputs are not told, but to be read."""

    job_id: str
    status: PredictionStatus
    attempt: int
    started: int | None
    finished: int
    expires: int
    outputs: bytes
    error: bytes

    @property
    def told(self) -> bool:
        return self.outputs != _UNTOLD

    @classmethod
    def read_all(cls, message: bytes) -> "Iterator[JobEnded]":
        """`message` as scripts/job.lua makes it, of one job or of several."""
        lines = iter(message.split(b"\n"))
        for job_id, status, attempt, started, finished, expires, outputs, error in zip(
            *[lines] * 8, strict=True
        ):
            yield cls(
                job_id=job_id.decode(),
                status=PredictionStatus(status.decode()),
                attempt=int(attempt),
                started=int(started) if started else None,
                finished=int(finished),
                expires=int(expires),
                outputs=outputs,
                error=error,
            )
