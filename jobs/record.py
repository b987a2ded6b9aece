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
    def decode(cls, job_id: str, flat: Sequence[bytes]) -> "Record":
        """`flat` holds fields and values in turn, as HGETALL gives them in a script."""
        fields = dict(zip(flat[::2], flat[1::2], strict=True))
        if fields.get(b"v") != VERSION:
            raise UnknownRecord
        return cls(
            id=job_id,
            status=Status(fields[b"status"].decode()),
            model=fields[b"model"].decode(),
            sha256=fields[b"sha"].hex(),
            owner=fields[b"owner"].decode(),
            attempt=int(fields.get(b"attempt", 0)),
            started=_time(fields, b"started"),
            finished=_time(fields, b"finished"),
            expires=_time(fields, b"expires"),
            outputs=fields.get(b"outputs"),
            error=fields.get(b"error"),
            metadata=fields.get(b"metadata", b"{}"),
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


def _time(fields: dict[bytes, bytes], name: bytes) -> int | None:
    value = fields.get(name)
    return None if value is None else int(value)
