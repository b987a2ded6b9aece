"""The store as the door sees it: jobs go in, records come out. What workers do is in line.py."""

import math
from collections.abc import Sequence
from uuid import uuid4

from redis import Redis

from jobs import ids as job_ids
from jobs.connection import script, talking
from jobs.errors import IdempotencyKeyReused, JobsError, QueueFull, RateLimited, TooManyRows
from jobs.predictions.record import OUTPUT_BYTES, Accepted, NewPrediction, PredictionRecord, UnknownRecord
from jobs.predictions.status import PredictionStatus
from jobs.queues.capacity import LAPSES_MS, Capacity, Process
from jobs.queues.names import LINE, ROWS, WEBS
from jobs.settings import Settings

LOOKS_AT = 1_000
"""Records that are looked at to list jobs, so that nobody's post waits long behind it."""


class PredictionStore:
    """Every method raises StoreUnavailable if Redis does not answer in time."""

    def __init__(self, redis: Redis, settings: Settings) -> None:
        self.retention_ms = settings.retention_ms
        self._redis = redis
        self._settings = settings
        self._add = script(redis, "add")
        self._read = script(redis, "read")
        self._cancel = script(redis, "cancel")
        self._delete = script(redis, "delete")
        self._list = script(redis, "list")
        self._live = script(redis, "live")
        self._capacity = script(redis, "capacity")
        self._batch_capacity = script(redis, "batches/capacity")

    def add(self, jobs: Sequence[NewPrediction]) -> tuple[list[Accepted | JobsError], list[str]]:
        """Records the jobs and puts them in the line, in one step.

        Returns for each job what was done with it, or why it was refused; and the wake-ups to send. Adding a
        job again changes nothing.
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
            verdicts, wake_ups, *ahead = self._add(keys=[LINE], args=arguments)
        done: list[Accepted | JobsError] = []
        for job, verdict in zip(jobs, verdicts, strict=True):
            line = 1 if job.explained else 0
            said = Accepted(job.id, ahead[line]) if verdict == b"ok" else _done(job, ahead[line], *verdict)
            done.append(said)
            if isinstance(said, Accepted) and not said.replayed:
                ahead[line] += job.rows
        return done, [wake_up.decode() for wake_up in wake_ups]

    def read(self, ids: Sequence[str], watcher: str = "") -> list[PredictionRecord | UnknownRecord | None]:
        """The records, in order; a watcher (a channel) is told when one ends that has not ended yet."""
        with talking():
            records = self._read(keys=[LINE], args=[watcher, self.retention_ms, *ids])
        return [_decoded(job_id, values) for job_id, values in zip(ids, records, strict=True)]

    def cancel(self, job_id: str) -> PredictionStatus | None:
        """Cancels the job if it waits; returns the status it then has, None if there is no such job."""
        with talking():
            status = self._cancel(keys=[LINE], args=[job_id, self.retention_ms])
        return None if status is None else PredictionStatus(status.decode())

    def delete(self, job_id: str) -> PredictionStatus | None:
        """Removes the job if it has ended; returns the status it had, None if there is no such job."""
        with talking():
            status = self._delete(keys=[LINE], args=[job_id, job_ids.raw(job_id), self.retention_ms])
        return None if status is None else PredictionStatus(status.decode())

    def list_jobs(
        self, owner: str, behind: str | None, status: str | None, most: int
    ) -> tuple[list[PredictionRecord], str | None]:
        """The owner's jobs, the newest first, those that come behind an id.

        Returns with them the id to go on behind, None if there are no more. Where many are of another status
        it looks at LOOKS_AT only, and gives few or none though there may be more.
        """
        arguments = [
            owner,
            job_ids.raw(behind) if behind else "",
            status or "",
            most,
            LOOKS_AT,
            self.retention_ms,
        ]
        with talking():
            found, last = self._list(keys=[LINE], args=arguments)
        pairs = zip(found[::2], found[1::2], strict=True)
        records = [PredictionRecord.decode(job_id.decode(), values) for job_id, values in pairs]
        return records, job_ids.from_raw(last) if last else None

    def live(self, web: Process) -> None:
        """Says that the web process lives, for LAPSES_MS."""
        with talking():
            self._live(args=[WEBS, web.name, LAPSES_MS, web.says])

    def capacity(self) -> Capacity:
        with talking():
            return Capacity.decode(self._capacity(keys=[LINE]), self._batch_capacity())

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


def _decoded(job_id: str, values: Sequence[bytes | None]) -> PredictionRecord | UnknownRecord | None:
    """One that cannot be read must not keep the others from being read."""
    try:
        return PredictionRecord.decode(job_id, values) if values[0] else None
    except UnknownRecord as error:
        return error


def _done(job: NewPrediction, ahead: int, verdict: bytes, told: bytes = b"") -> Accepted | JobsError:
    """What any other verdict on a job comes to, as scripts/add.lua gives it."""
    match verdict:
        case b"until":
            return Accepted(job.id, ahead, deadline=int(told))
        case b"same":
            return Accepted(told.decode(), replayed=True)
        case b"reused":
            return IdempotencyKeyReused()
        case b"full":
            return QueueFull()
        case b"never":
            return TooManyRows()
    return RateLimited(retry_after=int(told))
