"""The store of batches as web sees it: batches go in, records come out."""

import logging
import math
import time
from typing import Any, NamedTuple
from uuid import uuid4

from redis import Redis

from jobs.batches.record import BatchRecord, NewBatch
from jobs.batches.status import BatchStatus
from jobs.batches.tasks import CORRECT, PLAN, PREVIEW, ChunkDone
from jobs.errors import IdempotencyKeyReused, NotRetryable, QueueFull, StoreRefuses, TooManyBatches
from jobs.ids import trace_fields
from jobs.queues.capacity import MOST_SECONDS, UNKNOWN_SECONDS
from jobs.queues.names import BATCH
from jobs.queues.queue import JobStore, first_members
from jobs.queues.script_calls import Script, decode_all
from jobs.settings import Settings

log = logging.getLogger(__name__)

RESERVATION_MS = 30_000
"""How long a key is reserved while the body of its request arrives; the reservation is renewed meanwhile."""


class KnownKey(NamedTuple):
    """What an Idempotency-Key stands for: a batch; or, without an id, a request whose body still arrives."""

    id: str
    body: bytes


class BatchStore(JobStore[BatchRecord, BatchStatus]):
    """Every method raises StoreUnavailable if Redis does not answer in time."""

    def __init__(self, redis: Redis, settings: Settings) -> None:
        super().__init__(redis, settings, BATCH, BatchRecord.decode, BatchStatus)
        self.s3_allow = settings.s3_allow
        self._limits: dict[str, Any] = {
            "max_open": settings.max_batches,
            "max_open_per_owner": settings.max_batches_per_key,
        }
        self._reserve_key = Script(redis, "batches/reserve_key")
        self._release_key = Script(redis, "batches/release_key")
        self._check_limits = Script(redis, "batches/check_limits")
        self._add = Script(redis, "batches/add")
        self._read_plan = Script(redis, "batches/read_plan")

    def reserve_key(self, owner: str, key: bytes, job_id: str) -> KnownKey | None:
        """Reserves the key for this batch. Returns None, or what the key stands for already."""
        known = self._reserve_key(owner=owner, idempotency=key, id=job_id, expires_ms=RESERVATION_MS)
        return KnownKey(known[0].decode(), known[1]) if known else None

    def release_key(self, owner: str, key: bytes, job_id: str) -> None:
        """Releases a reserved key, because its request was not accepted."""
        self._release_key(owner=owner, idempotency=key, id=job_id)

    def check_limits(self, owner: str) -> None:
        """Raises QueueFull or TooManyBatches where one more batch of this owner would be refused."""
        if refused := self._check_limits(owner=owner, **self._limits):
            raise self._refusal(*refused)

    def add(self, batch: NewBatch) -> list[str] | str:
        """Records the batch and adds its first task to the queue. Returns the wake-ups to send.

        Returns the id of another batch if its key stands for that by now. Raises QueueFull, TooManyBatches,
        IdempotencyKeyReused, NotRetryable, or StoreRefuses if the key is no longer reserved. Adding a batch
        again changes nothing.
        """
        verdict, *detail = self._add(
            [_item(batch, self._event_targets)],
            **self._limits,
            retention_ms=self.retention_ms,
            wake_up_name=uuid4().hex,
        )
        match verdict:
            case b"ok":
                log.info("accepted", extra=_line(batch))
                return decode_all(detail[0])
            case b"same":
                return str(detail[0].decode())
            case b"reused":
                raise IdempotencyKeyReused
            case b"gone":
                raise NotRetryable("the batch that this one tries again has just been removed")
            case b"lapsed":
                raise StoreRefuses("the Idempotency-Key was lost while the body arrived; send it again")
        raise self._refusal(verdict, *detail)

    def read_plan(self, job_id: str) -> tuple[list[str], dict[int, ChunkDone]]:
        """The chunks of a batch that has ended, and what is recorded of those that are done.

        Both are empty if it cannot be tried again.
        """
        plan, done = self._read_plan(id=job_id)
        return decode_all(plan), ChunkDone.read_all(done)

    def _refusal(self, verdict: bytes, oldest: bytes = b"") -> QueueFull | TooManyBatches:
        """`oldest` is the owner's batch that has been open longest."""
        if verdict == b"full":
            return QueueFull("too many batches are unfinished; try again later")
        [record] = self.read([oldest.decode()])
        left = record.eta_seconds(time.time()) if isinstance(record, BatchRecord) else None
        seconds = UNKNOWN_SECONDS if left is None else math.ceil(left)
        return TooManyBatches(min(max(seconds, 1), MOST_SECONDS))


def _line(batch: NewBatch) -> dict[str, Any]:
    """What the log says of a batch that is accepted; a retry has no request of its own."""
    line = {"job_id": batch.id, "owner": batch.owner, "model": batch.model, "bytes": batch.size}
    others = {"request_id": batch.request_id, "retry_of": batch.retry_of}
    return line | {name: value for name, value in others.items() if value} | trace_fields(batch.traceparent)


def _item(batch: NewBatch, targets: tuple[str, ...]) -> tuple[str | bytes | int, ...]:
    """The members of an item, in the order in which batches/add.lua declares them."""
    options, hidden = batch.options, 1 if batch.options.dry_run else ""
    return (
        *first_members(batch, () if options.dry_run else targets),
        options.to_json(),
        batch.size,
        _first_task(batch),
        hidden,
        " ".join(batch.reads),
    )


def _first_task(batch: NewBatch) -> str:
    """Empty if the chunks of the batch can be scored at once."""
    if batch.options.dry_run:
        return PREVIEW
    if batch.corrected:
        return CORRECT
    return "" if batch.options.kept_from else PLAN
