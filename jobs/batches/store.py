"""The store of batches as the door sees it: they go in, and their records come out."""

import math
import time
from collections.abc import Sequence
from typing import NamedTuple
from uuid import uuid4

from redis import Redis

from jobs import ids
from jobs.batches.record import BatchRecord, NewBatch
from jobs.batches.status import BatchStatus
from jobs.connection import script, talking
from jobs.errors import QueueFull, TooManyBatches
from jobs.predictions.record import UnknownRecord
from jobs.queues.capacity import MOST_SECONDS, UNKNOWN_SECONDS
from jobs.settings import Settings

CLAIM_MS = 30_000
"""For how long a key is claimed by a request whose body arrives; it is to be claimed again meanwhile."""
LOOKS_AT = 1_000
"""Records that are looked at to list batches, so that nobody's post waits long behind it."""


class Known(NamedTuple):
    """What an Idempotency-Key stands for: a batch, or (`id` empty) a request whose body still arrives."""

    id: str
    body: bytes


class BatchStore:
    """Every method raises StoreUnavailable if Redis does not answer in time."""

    def __init__(self, redis: Redis, settings: Settings) -> None:
        self.retention_ms = settings.retention_ms
        self._most_open = (settings.max_batches, settings.max_batches_per_key)
        self._claim_key = script(redis, "batches/claim_key")
        self._release_key = script(redis, "batches/release_key")
        self._room = script(redis, "batches/room")
        self._add = script(redis, "batches/add")
        self._read = script(redis, "batches/read")
        self._cancel = script(redis, "batches/cancel")
        self._delete = script(redis, "batches/delete")
        self._list = script(redis, "batches/list")

    def claim_key(self, owner: str, key: bytes, job_id: str) -> Known | None:
        """None if the key is now claimed for this batch; else what it stands for."""
        with talking():
            verdict, *known = self._claim_key(args=[owner, key, job_id, CLAIM_MS])
        if verdict == b"new":
            return None
        return Known(known[0].decode(), known[1]) if known else Known("", b"")

    def release_key(self, owner: str, key: bytes, job_id: str) -> None:
        """Its request came to nothing."""
        with talking():
            self._release_key(args=[owner, key, job_id])

    def require_room(self, owner: str) -> None:
        """Raises QueueFull or TooManyBatches where one more of this owner would be refused."""
        with talking():
            refused = self._room(args=[owner, *self._most_open])
        if refused:
            raise self._refusal(*refused)

    def add(self, batch: NewBatch) -> list[str]:
        """Records the batch and puts its first task in the line; returns the wake_ups to ring.

        Raises QueueFull or TooManyBatches. Adding a batch again changes nothing.
        """
        arguments: list[str | bytes | int] = [
            *self._most_open,
            uuid4().hex,
            batch.id,
            ids.raw(batch.id),
            batch.model,
            bytes.fromhex(batch.sha256),
            batch.owner,
            batch.asked.to_json(),
            batch.size,
            batch.metadata,
            "" if batch.start_within_ms is None else batch.start_within_ms,
            *(batch.once or (b"", b"")),
            "look" if batch.asked.dry_run else "plan",
            1 if batch.asked.dry_run else "",
        ]
        with talking():
            verdict, *told = self._add(args=arguments)
        if verdict != b"ok":
            raise self._refusal(verdict, *told)
        return [wake_up.decode() for wake_up in told[0]]

    def _refusal(self, verdict: bytes, oldest: bytes = b"") -> QueueFull | TooManyBatches:
        """What it comes to, as `refusal` of scripts/batches/batch.lua gives it."""
        if verdict == b"full":
            return QueueFull("too many batches are unfinished; try again later")
        [record] = self.read([oldest.decode()])
        left = record.eta_seconds(time.time()) if isinstance(record, BatchRecord) else None
        seconds = UNKNOWN_SECONDS if left is None else math.ceil(left)
        return TooManyBatches(min(max(seconds, 1), MOST_SECONDS))

    def read(self, job_ids: Sequence[str], watcher: str = "") -> list[BatchRecord | UnknownRecord | None]:
        with talking():
            records = self._read(args=[self.retention_ms, *job_ids])
        return [_decoded(job_id, values) for job_id, values in zip(job_ids, records, strict=True)]

    def cancel(self, job_id: str) -> BatchStatus | None:
        """Cancels the batch if it has not ended; returns the status it then has, None if there is none."""
        with talking():
            status = self._cancel(args=[job_id, self.retention_ms])
        return None if status is None else BatchStatus(status.decode())

    def delete(self, job_id: str) -> BatchStatus | None:
        """Removes the batch if it has ended; returns the status it had, None if there is none."""
        with talking():
            status = self._delete(args=[job_id, ids.raw(job_id), self.retention_ms])
        return None if status is None else BatchStatus(status.decode())

    def list_batches(
        self, owner: str, behind: str | None, status: str | None, most: int
    ) -> tuple[list[BatchRecord], str | None]:
        """The owner's batches, the newest first, those that come behind an id.

        Returns with them the id to go on behind, None if there are no more.
        """
        arguments = [
            owner,
            ids.raw(behind) if behind else "",
            status or "",
            most,
            LOOKS_AT,
            self.retention_ms,
        ]
        with talking():
            found, last = self._list(args=arguments)
        pairs = zip(found[::2], found[1::2], strict=True)
        records = [BatchRecord.decode(job_id.decode(), values) for job_id, values in pairs]
        return records, ids.from_raw(last, ids.BATCH) if last else None


def _decoded(job_id: str, values: Sequence[bytes | None]) -> BatchRecord | UnknownRecord | None:
    """One that cannot be read must not keep the others from being read."""
    try:
        return BatchRecord.decode(job_id, values) if values[0] else None
    except UnknownRecord as error:
        return error
