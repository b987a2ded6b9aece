"""What must hold when the last fault is over and the work is done."""

from collections import Counter
from collections.abc import Iterable, Iterator
from functools import cache
from typing import Any, NamedTuple

import orjson

from jobs.batches.status import BatchStatus
from jobs.batches.store import BatchStore
from jobs.ids import BATCH, PREDICTION
from jobs.predictions.record import PredictionRecord
from jobs.predictions.store import PredictionStore
from jobs.queues.names import GROUP, QUEUES
from jobs.settings import Settings
from tests.simulation.callers import Ledger
from tests.simulation.service import bundles, catalog
from worker.bundles import scorer


@cache
def expected(years: float) -> Any:
    manifest = catalog().find()
    [output] = scorer(bundles().get(manifest.ref, manifest.sha256))([[years]])
    return orjson.loads(output)["prediction"]


class Stores(NamedTuple):
    """What an observer reads, without taking part."""

    redis: Any
    predictions: PredictionStore
    batches: BatchStore

    @classmethod
    def of(cls, redis: Any, settings: Settings) -> "Stores":
        return cls(redis, PredictionStore(redis, settings), BatchStore(redis, settings))

    def read(self) -> dict[str, Any]:
        """All records, by the ids of their jobs; a record that cannot be decoded is an error."""
        found: dict[str, Any] = {}
        for prefix, store in ((PREDICTION, self.predictions), (BATCH, self.batches)):
            keys = (key.decode() for key in self.redis.keys(f"job:{prefix}*"))
            ids = sorted(key.removeprefix("job:") for key in keys if key.count(":") == 1)
            found |= zip(ids, store.read(ids), strict=True)
        return found


def all_ended(stores: Stores) -> bool:
    return all(not isinstance(record, Exception) and record.status.ended for record in stores.read().values())


def broken(stores: Stores, ledger: Ledger, attempts: int) -> Iterator[str]:
    """Each promise that does not hold, in words."""
    found = stores.read()
    for job_id in [*ledger.rows, *ledger.batches]:
        if job_id not in found and job_id not in ledger.deleted:
            yield f"{job_id} was accepted and is lost"
    for job_id, record in found.items():
        if not record.status.ended:
            yield f"{job_id} is {record.status} for ever"
        elif (known := ledger.final.get(job_id)) and known["status"] != record.status:
            yield f"{job_id} was told as {known['status']}, and is {record.status}"
        elif job_id in ledger.rows:
            yield from _broken_by(record, ledger.rows[job_id], ledger, attempts)
        elif job_id in ledger.batches - ledger.without_good_rows and record.status is BatchStatus.FAILED:
            yield f"{job_id} failed: {record.error!r}"
    yield from _doubled(stores.redis, found)
    yield from left_in_queues(stores.redis)


def _doubled(redis: Any, job_ids: Iterable[str]) -> Iterator[str]:
    """Also those that nobody was told of."""
    keys = Counter(redis.hget(f"job:{job_id}", "idempotency") for job_id in job_ids)
    for key, times in keys.items():
        if key and times > 1:
            yield f"{times} jobs have the key {key!r}"


def _broken_by(record: PredictionRecord, rows: list[float], ledger: Ledger, attempts: int) -> Iterator[str]:
    match record.status.value:
        case "succeeded":
            outputs = orjson.loads(record.outputs or b"null")
            scores = [each["prediction"] for each in (outputs if isinstance(outputs, list) else [outputs])]
            if scores != [expected(years) for years in rows]:
                yield f"{record.id} has the scores {scores} for {rows}"
        case "canceled":
            pass
        case "expired" if record.id in ledger.may_expire:
            pass
        case "failed" | "partially_succeeded" if record.attempt >= attempts:
            pass
        case status:
            yield f"{record.id} is {status} after {record.attempt} attempts: {record.error!r}"


def left_in_queues(redis: Any) -> Iterator[str]:
    """What the queues have, in words; nothing once all work is done."""
    for queue in QUEUES:
        for stream in queue.streams:
            if left := redis.xlen(stream):
                yield f"{left} entries are left in {stream}"
            if pending := redis.xpending(stream, GROUP)["pending"]:
                yield f"{pending} entries are claimed in {stream} for ever"
        if rows := int(redis.get(queue.rows) or 0):
            yield f"{rows} rows seem to wait in {queue.name}"
