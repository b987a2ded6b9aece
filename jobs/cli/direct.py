"""Redis, asked directly: the jobs of any owner, for those who run Paygrade."""

from collections.abc import Iterator
from contextlib import contextmanager

import orjson
from redis import RedisError

from jobs import ids
from jobs.cli.api import MOST_AT_ONCE, Resource
from jobs.cli.errors import CannotAsk, NotSo
from jobs.errors import UnknownRecord
from jobs.predictions.record import PredictionRecord
from jobs.predictions.resource import capacity, prediction
from jobs.predictions.status import PredictionStatus
from jobs.predictions.store import PredictionStore
from jobs.queues.capacity import Capacity
from jobs.settings import Settings


class Direct:
    """Every method raises NotSo for what is not so, and StoreUnavailable or CannotAsk without an answer."""

    def __init__(self, store: PredictionStore, settings: Settings, owner: str | None = None) -> None:
        self._store = store
        self._settings = settings
        self._owner = owner

    def show(self, job_id: str) -> Resource:
        with answered():
            [record] = self._store.read([job_id])
            if isinstance(record, UnknownRecord):
                raise record
            if record is None:
                raise NotSo(self._absent(job_id))
            return _shown(record, self._store.capacity())

    def list_jobs(self, status: str | None, most: int) -> Iterator[Resource]:
        """The owner's, the newest first."""
        if self._owner is None:
            raise CannotAsk("Redis keeps a list for each owner: say whose, with --owner NAME")
        wanted = PredictionStatus(status) if status else None
        behind = None
        while most > 0:
            with answered():
                records, behind = self._store.list_jobs(self._owner, behind, wanted, min(most, MOST_AT_ONCE))
                now = self._store.capacity()
                resources = [_shown(record, now) for record in records]
            yield from resources
            most -= len(resources)
            if behind is None:
                return

    def cancel(self, job_id: str) -> Resource:
        with answered():
            status = self._store.cancel(job_id)
        if status is None:
            raise NotSo(self._absent(job_id))
        if status is not PredictionStatus.CANCELED:
            raise NotSo(f"only a job that is queued can be canceled; this one is {status}")
        return self.show(job_id)

    def capacity(self) -> Resource:
        with answered():
            now, room = self._store.capacity(), self._store.room()
        accepting = now.accepting(room, self._settings.max_waiting)
        alive = [
            *(("web", web) for web in now.webs),
            *(("worker", child) for child in now.children),
            *(("worker for batches", child) for child in now.batches.children),
        ]
        processes = [
            {"of": of, "name": each.name, "release": each.release, "rows_per_second": each.pace}
            for of, each in alive
        ]
        return {**capacity(now, accepting), "processes": processes}

    def _absent(self, job_id: str) -> str:
        if ids.older_than(job_id, self._store.retention_ms):
            return "this prediction has expired and was removed"
        return "there is no such prediction"


def _shown(record: PredictionRecord, now: Capacity) -> Resource:
    """With what callers are not told."""
    resource: Resource = orjson.loads(prediction(record, now))
    return {**resource, "owner": record.owner, "attempt": record.attempt}


@contextmanager
def answered() -> Iterator[None]:
    """What Redis refuses as CannotAsk."""
    try:
        yield
    except RedisError as error:
        raise CannotAsk(f"Redis refuses: {str(error).splitlines()[0]}") from None
