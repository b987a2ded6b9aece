"""Jobs of both kinds and of all owners, as Redis holds them."""

import heapq
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice
from typing import Any, TypeAlias

import orjson
from redis import Redis

from jobs import ids
from jobs.batches import resource as batch_resource
from jobs.batches.record import BatchRecord
from jobs.batches.status import BatchStatus
from jobs.batches.store import BatchStore
from jobs.errors import UnknownRecord
from jobs.files.location import files_at
from jobs.predictions import resource as prediction_resource
from jobs.predictions.record import PredictionRecord
from jobs.predictions.status import PredictionStatus
from jobs.predictions.store import PredictionStore
from jobs.queues.capacity import Monitor
from jobs.queues.connection import connect, store_errors
from jobs.queues.names import BATCH, PREDICTION, Kind
from jobs.settings import Settings
from ops.errors import CommandFailed

Resource: TypeAlias = dict[str, Any]
Record: TypeAlias = PredictionRecord | BatchRecord

LARGEST_PAGE = 100
KEYS_AT_ONCE = 1_000


@dataclass(frozen=True)
class JobKind:
    """What differs between the kinds of jobs."""

    name: str
    kind: Kind
    statuses: type[StrEnum]
    canceled: frozenset[StrEnum]
    """The statuses of a job that was canceled."""
    cancelable: str
    """Which jobs can be canceled, for people."""
    store: PredictionStore | BatchStore
    find: Callable[[str, str | None, str | None, int], tuple[Sequence[Record], str | None]]
    """Lists an owner's jobs: owner, id to continue after, status, limit."""
    resource: Callable[[Any], bytes]


class StoredJobs:
    """Every method raises CommandFailed if the answer is no, and StoreUnavailable without an answer."""

    def __init__(self, redis: Redis, settings: Settings) -> None:
        self._redis = redis
        self._retention_ms = settings.retention_ms
        self._max_waiting = settings.max_waiting
        self._files = settings.files_location
        self._monitor = Monitor(redis, settings)
        predictions = PredictionStore(redis, settings)
        batches = BatchStore(redis, settings)
        self._kinds = {
            ids.PREDICTION: JobKind(
                "prediction",
                PREDICTION,
                PredictionStatus,
                frozenset({PredictionStatus.CANCELED}),
                "a prediction that is queued",
                predictions,
                predictions.list_jobs,
                lambda record: prediction_resource.prediction(record, self._monitor.capacity()),
            ),
            ids.BATCH: JobKind(
                "batch",
                BATCH,
                BatchStatus,
                frozenset({BatchStatus.CANCELED, BatchStatus.CANCELING}),
                "a batch that has not ended",
                batches,
                batches.list_jobs,
                batch_resource.batch,
            ),
        }

    @classmethod
    def connect(cls, settings: Settings) -> "StoredJobs":
        return cls(connect(settings), settings)

    def show(self, job_id: str) -> Resource:
        kind = self._kind_of(job_id)
        [record] = kind.store.read([job_id])
        if isinstance(record, UnknownRecord):
            raise record
        if record is None:
            raise self._absent(kind, job_id)
        return _shown(kind, record)

    def list_jobs(
        self, *, owner: str | None = None, kind: str | None = None, status: str | None = None, limit: int = 20
    ) -> Iterator[Resource]:
        """The newest first; of all owners and of both kinds, unless one is given."""
        lists = [
            self._list(each, name, status, limit)
            for each in self._kinds.values()
            if kind in (None, each.name) and (status is None or status in list(each.statuses))
            for name in ([owner] if owner else self._owners(each))
        ]
        newest = heapq.merge(*lists, key=_time_of, reverse=True)
        return islice(newest, limit)

    def cancel(self, job_id: str) -> Resource:
        kind = self._kind_of(job_id)
        status = kind.store.cancel(job_id)
        if status is None:
            raise self._absent(kind, job_id)
        if status not in kind.canceled:
            raise CommandFailed(f"only {kind.cancelable} can be canceled; this one is {status}")
        return self.show(job_id)

    def delete(self, job_id: str) -> None:
        kind = self._kind_of(job_id)
        status = kind.store.delete(job_id)
        if status is None:
            raise self._absent(kind, job_id)
        if not status.ended:
            raise CommandFailed(f"only a job that has ended can be deleted; this one is {status}")

    def capacity(self) -> Resource:
        """What web says, which processes are alive, and what Redis and the file store have left, in bytes."""
        now, room = self._monitor.capacity(), self._monitor.room()
        memory, disk = self._monitor.memory(), files_at(self._files).disk()
        alive = [
            *(("web", web) for web in now.webs),
            *(("worker", child) for child in now.children),
            *(("worker for batches", child) for child in now.batches.children),
        ]
        processes = [
            {"of": of, "name": each.name, "release": each.release, "rows_per_second": each.pace}
            for of, each in alive
        ]
        accepting = now.accepting(room, self._max_waiting)
        return {
            **now.resource(accepting),
            "redis": {"memory_bytes": memory.used, "most_memory_bytes": memory.most or None},
            "files": {"free_bytes": disk.free, "disk_bytes": disk.total} if disk else None,
            "processes": processes,
        }

    def check(self, job_id: str) -> None:
        """Raises InvalidId for what is not the id of a prediction or a batch."""
        self._kind_of(job_id)

    def _kind_of(self, job_id: str) -> JobKind:
        prefix = ids.BATCH if job_id.startswith(ids.BATCH) else ids.PREDICTION
        ids.check(job_id, prefix)
        return self._kinds[prefix]

    def _absent(self, kind: JobKind, job_id: str) -> CommandFailed:
        if ids.older_than(job_id, self._retention_ms):
            return CommandFailed(f"this {kind.name} has expired and was removed")
        return CommandFailed(f"there is no such {kind.name}")

    def _owners(self, kind: JobKind) -> list[str]:
        with store_errors():
            lists = kind.kind.list_of("")
            keys = self._redis.scan_iter(f"{lists}*", count=KEYS_AT_ONCE, _type="zset")
            return sorted({key.decode().removeprefix(lists) for key in keys})

    def _list(self, kind: JobKind, owner: str, status: str | None, limit: int) -> Iterator[Resource]:
        after = None
        while limit > 0:
            records, after = kind.find(owner, after, status, min(limit, LARGEST_PAGE))
            yield from (_shown(kind, record) for record in records)
            limit -= len(records)
            if after is None:
                return


def _shown(kind: JobKind, record: Record) -> Resource:
    """The resource, with what callers do not see."""
    resource: Resource = orjson.loads(kind.resource(record))
    hidden: Resource = {"owner": record.owner}
    if isinstance(record, PredictionRecord):
        hidden |= {"attempt": record.attempt}
    return resource | hidden


def _time_of(job: Resource) -> str:
    """Ids of both kinds sort by the time at which their jobs were made (UUIDv7)."""
    return str(job["id"]).partition("_")[2]
