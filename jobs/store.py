"""The store as the door sees it: jobs go in, records come out. What workers do is in line.py."""

import math
from collections.abc import Sequence
from uuid import uuid4

from redis import Redis

from jobs.connection import script, talking
from jobs.errors import JobsError, LineFull, OverLimit, TooManyRows
from jobs.names import LINE, ROWS
from jobs.record import OUTPUT_BYTES, NewJob, Record, UnknownRecord
from jobs.settings import Settings
from jobs.status import Status


class Store:
    """Every method raises StoreAway if Redis does not answer in time."""

    def __init__(self, redis: Redis, settings: Settings) -> None:
        self.retention_ms = settings.retention_ms
        self._redis = redis
        self._settings = settings
        self._add = script(redis, "add")
        self._read = script(redis, "read")
        self._cancel = script(redis, "cancel")

    def add(self, jobs: Sequence[NewJob]) -> tuple[list[JobsError | None], list[str]]:
        """Records the jobs and puts them in the line, in one step.

        Returns for each job None, or why it was refused; and the bells that the caller is to ring.
        A job that is there already stays as it is, so that adding may be repeated.
        """
        settings = self._settings
        arguments: list[str | bytes | int] = [
            settings.max_waiting,
            settings.rows_per_minute,
            self.retention_ms,
            uuid4().hex,
        ]
        for job in jobs:
            arguments.extend(job.arguments())
        with talking():
            verdicts, bells = self._add(keys=[LINE], args=arguments)
        return [_refusal(verdict) for verdict in verdicts], [bell.decode() for bell in bells]

    def read(self, ids: Sequence[str], watcher: str = "") -> list[Record | UnknownRecord | None]:
        """The records, in order; a watcher (a channel) is told when one ends that has not ended yet."""
        with talking():
            records = self._read(args=[watcher, *ids])
        return [_decoded(job_id, values) for job_id, values in zip(ids, records, strict=True)]

    def cancel(self, job_id: str) -> Status | None:
        """Cancels the job if it waits; returns the status it then has, None if there is no such job."""
        with talking():
            status = self._cancel(args=[job_id, self.retention_ms])
        return None if status is None else Status(status.decode())

    def ping(self) -> None:
        with talking():
            self._redis.ping()

    def room(self) -> float:
        """Bytes that Redis may still take in, those of outputs to come set apart; endless without a limit."""
        with talking():
            memory = self._redis.info("memory")
            waiting = self._redis.get(ROWS)
        if not memory["maxmemory"]:
            return math.inf
        most = memory["maxmemory"] * self._settings.max_memory_percent / 100
        return float(most - memory["used_memory"] - OUTPUT_BYTES * max(int(waiting or 0), 0))


def _decoded(job_id: str, values: Sequence[bytes | None]) -> Record | UnknownRecord | None:
    """One that cannot be read must not keep the others from being read."""
    try:
        return Record.decode(job_id, values) if values[0] else None
    except UnknownRecord as error:
        return error


def _refusal(verdict: bytes) -> JobsError | None:
    match verdict:
        case b"ok":
            return None
        case b"full":
            return LineFull()
        case b"never":
            return TooManyRows()
    return OverLimit(retry_after=int(verdict))
