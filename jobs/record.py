"""The record of a job: what Redis keeps of it, compact, and how it is read."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import orjson

from jobs import ids
from jobs.errors import JobsError
from jobs.status import Status

VERSION = b"1"

Row: TypeAlias = list[Any]
"""The values of one row, in the order of the model's features."""


class UnknownRecord(JobsError):
    """A record of this version cannot be read here: deploy workers and web of one release."""


@dataclass(slots=True)
class NewJob:
    """A job as the door accepts it. The watcher is the channel to be told when it ends; metadata is JSON."""

    id: str
    model: str
    sha256: str
    owner: str
    inputs: Row | list[Row]
    rows: int
    metadata: bytes = b""
    watcher: str = ""

    def arguments(self) -> tuple[str | bytes | int, ...]:
        """As scripts/add.lua takes them."""
        return (
            self.id,
            ids.raw(self.id),
            ids.created_ms(self.id),
            self.model,
            bytes.fromhex(self.sha256),
            self.owner,
            orjson.dumps(self.inputs),
            self.rows,
            self.metadata,
            self.watcher,
        )


@dataclass(frozen=True, slots=True)
class Record:
    """Times are milliseconds since 1970, UTC; `outputs` and `error` are JSON, as callers see them."""

    id: str
    status: Status
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

    @property
    def created(self) -> int:
        return ids.created_ms(self.id)

    @classmethod
    def decode(cls, job_id: str, values: Sequence[bytes | None]) -> "Record":
        """`values` as scripts/read.lua gives them."""
        version, status, model, sha, owner, attempt, started, finished, expires, *rest = values
        if version != VERSION or not (status and model and sha and owner):
            raise UnknownRecord
        outputs, error, metadata = rest
        return cls(
            id=job_id,
            status=Status(status.decode()),
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
        )

    @classmethod
    def queued(cls, job: NewJob) -> "Record":
        """The record as it is once the job has been added."""
        return cls(
            id=job.id,
            status=Status.QUEUED,
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
        )
