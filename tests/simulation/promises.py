"""What must hold when the last fault is over and the work is done."""

from collections.abc import Iterator
from functools import cache
from typing import Any

import orjson

from jobs.predictions.record import PredictionRecord
from jobs.predictions.store import PredictionStore
from jobs.queues.names import GROUP, QUEUES
from tests.simulation.callers import Ledger
from tests.simulation.service import bundles, catalog
from worker.scoring import scorer


@cache
def expected(years: float) -> Any:
    manifest = catalog().find()
    [output] = scorer(bundles().get(manifest.ref, manifest.sha256))([[years]])
    return orjson.loads(output)["prediction"]


def all_ended(redis: Any, store: PredictionStore) -> bool:
    return all(
        isinstance(record, PredictionRecord) and record.status.ended for record in records(redis, store)
    )


def records(redis: Any, store: PredictionStore) -> list[Any]:
    ids = sorted(key.decode().removeprefix("job:") for key in redis.keys("job:pred_*"))
    return store.read(ids)


def broken(redis: Any, store: PredictionStore, ledger: Ledger, attempts: int) -> Iterator[str]:
    """Each promise that does not hold, in words."""
    found = {record.id: record for record in records(redis, store)}
    for job_id, rows in ledger.rows.items():
        record = found.get(job_id)
        if record is None:
            if job_id not in ledger.deleted:
                yield f"{job_id} was accepted and is lost"
            continue
        yield from _broken_by(record, rows, ledger, attempts)
    yield from _left_in_queues(redis)


def _broken_by(record: PredictionRecord, rows: list[float], ledger: Ledger, attempts: int) -> Iterator[str]:
    if not record.status.ended:
        yield f"{record.id} is {record.status} for ever"
        return
    if (known := ledger.final.get(record.id)) and known["status"] != record.status:
        yield f"{record.id} was told as {known['status']}, and is {record.status}"
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


def _left_in_queues(redis: Any) -> Iterator[str]:
    for queue in QUEUES:
        for stream in queue.streams:
            if left := redis.xlen(stream):
                yield f"{left} entries are left in {stream}"
            if pending := redis.xpending(stream, GROUP)["pending"]:
                yield f"{pending} entries are claimed in {stream} for ever"
        if rows := int(redis.get(queue.rows) or 0):
            yield f"{rows} rows seem to wait in {queue.name}"
