"""One queue as its stores and consumers see it, whatever kind of job it has, and its wake-ups."""

import logging
from collections.abc import Callable, Mapping, Sequence
from enum import StrEnum
from typing import Any, Generic, NamedTuple, Protocol, TypeAlias, TypeVar
from uuid import uuid4

from celery import Celery
from redis import Redis
from redis.exceptions import RedisError, ResponseError

from jobs import ids
from jobs.errors import UnknownRecord
from jobs.queues.connection import store_error
from jobs.queues.idempotency import NO_KEY, IdempotencyKey
from jobs.queues.names import BATCH, GROUP, Kind, Queue
from jobs.queues.processes import Process
from jobs.queues.script_calls import Script, create_groups
from jobs.settings import Settings

log = logging.getLogger(__name__)

MOST_READ = 1_000
"""Records that one call reads to list jobs, so that it does not hold up other calls of Redis for long."""

SendWakeUp: TypeAlias = Callable[[str], None]
"""Sends the wake-up of this name."""

Record = TypeVar("Record")
Status = TypeVar("Status", bound=StrEnum)


class NewJob(Protocol):
    """A job before it is accepted; metadata is JSON."""

    @property
    def id(self) -> str: ...
    @property
    def model(self) -> str: ...
    @property
    def sha256(self) -> str: ...
    @property
    def owner(self) -> str: ...
    @property
    def metadata(self) -> bytes: ...
    @property
    def start_within_ms(self) -> int | None: ...
    @property
    def idempotency(self) -> IdempotencyKey | None: ...
    @property
    def webhook(self) -> str: ...
    @property
    def retry_of(self) -> str: ...
    @property
    def traceparent(self) -> str: ...


EVENT_TARGETS = ("bus", "topic")
"""What is told of the ends of jobs by an event: a bus of EventBridge, a topic of SNS."""


def event_targets(settings: Settings, kind: Kind) -> tuple[str, ...]:
    """The targets that are told of the ends of jobs of this kind."""
    if kind is not BATCH and settings.event_jobs != "all":
        return ()
    names = (settings.event_bus, settings.event_topic)
    return tuple(target for target, name in zip(EVENT_TARGETS, names, strict=True) if name)


def _receivers(job: NewJob, targets: tuple[str, ...]) -> str:
    """What the outbox is to send, a line for each. A retry comes with the lines of the job before it."""
    if not (job.webhook or targets):
        return ""
    webhook = [line for line in job.webhook.splitlines() if "://" in line]
    return "\n".join([*webhook, *(f"{job.owner}|{target} {target}" for target in targets)])


def first_members(job: NewJob, targets: tuple[str, ...]) -> tuple[str | bytes | int, ...]:
    """The members with which each item of a script that adds jobs begins."""
    return (
        job.id,
        ids.raw(job.id),
        job.model,
        bytes.fromhex(job.sha256),
        job.owner,
        job.metadata,
        "" if job.start_within_ms is None else job.start_within_ms,
        *(job.idempotency or NO_KEY),
        _receivers(job, targets),
        job.retry_of,
        job.traceparent,
    )


class JobStore(Generic[Record, Status]):
    """The records of one kind of job."""

    def __init__(
        self,
        redis: Redis,
        settings: Settings,
        kind: Kind,
        decode: Callable[[str, Sequence[bytes | None]], Record],
        status: type[Status],
    ) -> None:
        self.retention_ms = settings.retention_ms
        self._redis = redis
        self._settings = settings
        self._kind = kind
        self._decode = decode
        self._status = status
        self._event_targets = event_targets(settings, kind)
        self._read = Script(redis, "queues/read", kind)
        self._list = Script(redis, "queues/list", kind)
        self._cancel = Script(redis, f"{kind.name}/cancel")
        self._delete = Script(redis, f"{kind.name}/delete")

    def read(self, job_ids: Sequence[str], watcher: str = "") -> list[Record | UnknownRecord | None]:
        """The records, in order. `watcher` is a channel that is informed when one of these jobs ends."""
        items = [(job_id,) for job_id in job_ids]
        records = self._read(items, watcher=watcher, retention_ms=self.retention_ms)
        return [self._decoded(job_id, values) for job_id, values in zip(job_ids, records, strict=True)]

    def list_jobs(
        self, owner: str, after: str | None, status: str | None, limit: int
    ) -> tuple[list[Record], str | None]:
        """The owner's jobs older than the id `after`, newest first; and the id to continue after, or None.

        One call reads MOST_READ records, so it may return few jobs or none although there are more. Records
        that cannot be read are left out.
        """
        page = self._list(
            owner=owner,
            after=ids.raw(after) if after else "",
            status=status or "",
            limit=limit,
            most_read=MOST_READ,
            retention_ms=self.retention_ms,
        )
        pairs = zip(page.found[::2], page.found[1::2], strict=True)
        decoded = [self._decoded(job_id.decode(), values) for job_id, values in pairs]
        records = [record for record in decoded if record and not isinstance(record, UnknownRecord)]
        return records, ids.from_raw(page.next, self._kind.id_prefix) if page.next else None

    def cancel(self, job_id: str) -> Status | None:
        """Cancels the job if its status allows it. Returns its status afterwards, None for an unknown id."""
        return self._status_of(self._cancel(id=job_id, retention_ms=self.retention_ms))

    def delete(self, job_id: str) -> Status | None:
        """Removes the job if it has ended. Returns its status before, None for an unknown id."""
        return self._status_of(self._delete(id=job_id, raw=ids.raw(job_id), retention_ms=self.retention_ms))

    def _status_of(self, status: bytes | None) -> Status | None:
        return None if status is None else self._status(status.decode())

    def _decoded(self, job_id: str, values: Sequence[bytes | None]) -> Record | UnknownRecord | None:
        """A record that cannot be decoded becomes an error of its own, and the others are still read."""
        try:
            return self._decode(job_id, values) if values[0] else None
        except Exception:  # Redis is not trusted
            return UnknownRecord()


class Entry(NamedTuple):
    """An entry that a consumer has read. `detail` is the number of its rows or, of a batch, its task."""

    id: bytes
    job_id: bytes
    detail: bytes
    carried: Mapping[bytes, bytes] | None = None
    """What is needed to score its row, if the entry carries it."""


NO_ENTRY = Entry(b"", b"", b"")


class Sweep(NamedTuple):
    requeued: int
    given_up: int
    unreadable: int
    """Entries that were not as we write them, and were given up alone since the last sweep."""
    wake_ups: list[str]


class QueueConsumer:
    """One queue as workers see it."""

    def __init__(self, redis: Redis, settings: Settings, queue: Queue) -> None:
        self.queue = queue
        self._stream: Any = {queue.stream: ">"}
        self._redis = redis
        self._settings = settings
        self._retention_ms = settings.retention_ms
        self._claim = Script(redis, f"{queue.kind.name}/claim")
        self._sweep = Script(redis, f"{queue.kind.name}/sweep")
        self._withdraw = Script(redis, "queues/withdraw")
        self._first_wake_up = Script(redis, "queues/first_wake_up")
        self._report = Script(redis, "queues/report")
        self._give_up = Script(redis, "queues/give_up", queue.kind)

    def wait(self, consumer: str, milliseconds: int) -> Entry | None:
        """Waits for the next entry, which the caller must then claim; None if there is none in time."""
        return next(iter(self.read(consumer, 1, milliseconds)), None)

    def read(self, consumer: str, most: int, milliseconds: int) -> list[Entry]:
        """Waits for entries, at most so many, which the caller must then claim; none may come in time."""
        try:
            found = self._wait(consumer, most, milliseconds)
        except (RedisError, OSError) as error:
            raise store_error(error) from error
        detail = self.queue.kind.detail
        return [
            Entry(entry, its.get(b"id", b""), its.get(detail, b""), its if b"model" in its else None)
            for _, read in found or ()
            for entry, its in read
        ]

    def give_up(self, stream: bytes | str, entry: bytes, job_id: bytes) -> None:
        """Gives up a claimed entry that could not be read, and its job."""
        self._give_up(
            queue=self.queue.name, stream=stream, entry=entry, id=job_id, retention_ms=self._retention_ms
        )

    def withdraw(self, wake_up: str) -> None:
        """Withdraws the wake-up because this consumer stops. From now on another may be sent."""
        self._withdraw(queue=self.queue.name, wake_up_name=wake_up)

    def report_alive(self, consumer: Process) -> None:
        """Reports that the consumer is alive; five seconds later it gets no wake-up any more."""
        self._report(set=self.queue.consumers, name=consumer.name, report=consumer.report)

    def first_wake_up(self) -> str | None:
        """The wake-up to send because this consumer starts, which counts as sent; None if nothing waits."""
        name: bytes | None = self._first_wake_up(queue=self.queue.name, wake_up_name=uuid4().hex)
        return name.decode() if name else None

    def _sweep_queue(self, attempts: int, error: bytes, most_wake_ups: int) -> Any:
        """`error` is the error, as JSON, of a job that is given up."""
        return self._sweep(
            queue=self.queue.name,
            lease_ms=self._settings.lease_seconds * 1000,
            attempts=attempts,
            retention_ms=self._retention_ms,
            error=error,
            wake_up_name=uuid4().hex,
            most_wake_ups=most_wake_ups,
        )

    def _wait(self, consumer: str, most: int, milliseconds: int) -> Any:
        try:
            return self._redis.xreadgroup(GROUP, consumer, self._stream, count=most, block=milliseconds)
        except ResponseError as error:
            if "NOGROUP" not in str(error):
                raise
        create_groups(self._redis)
        return self._redis.xreadgroup(GROUP, consumer, self._stream, count=most, block=milliseconds)


def send_wake_up(celery: Celery, queue: Queue, name: str) -> None:
    """Raises kombu's OperationalError if Redis is unavailable."""
    celery.send_task(queue.task, task_id=name, queue=queue.name, ignore_result=True, retry=False)


def try_wake_up(send: SendWakeUp, name: str) -> None:
    """A wake-up that cannot be sent does no harm: the sweeper sends another for a queue that is not empty."""
    try:
        send(name)
    except Exception as error:
        log.warning("wake_up_lost", extra={"error": type(error).__name__})
