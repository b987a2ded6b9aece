"""The message that informs waiting web processes how a job ended."""

from collections.abc import Iterator
from typing import NamedTuple

_NOT_INLINED = b"-"


class JobEnded(NamedTuple):
    """Times are milliseconds since 1970, UTC. Long outputs are not `inlined`; the record has them."""

    job_id: str
    status: str
    attempt: int
    started: int | None
    finished: int
    expires: int
    outputs: bytes
    error: bytes

    @property
    def inlined(self) -> bool:
        return self.outputs != _NOT_INLINED

    @classmethod
    def read_all(cls, message: bytes) -> "Iterator[JobEnded]":
        """`message` has eight lines for each job, as notify() of job.lua writes them."""
        lines = iter(message.split(b"\n"))
        for job_id, status, attempt, started, finished, expires, outputs, error in zip(
            *[lines] * 8, strict=True
        ):
            yield cls(
                job_id=job_id.decode(),
                status=status.decode(),
                attempt=int(attempt),
                started=int(started) if started else None,
                finished=int(finished),
                expires=int(expires),
                outputs=outputs,
                error=error,
            )
