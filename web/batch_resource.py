"""A batch as callers see it, computed from its record."""

import time
from typing import Any

import orjson

from jobs.batch_status import BatchStatus
from jobs.batches import BatchRecord
from jobs.times import written

PATH = "/v1/batches"


def path_of(job_id: str) -> str:
    return f"{PATH}/{job_id}"


def batch(record: BatchRecord) -> bytes:
    """The resource as JSON."""
    name, _, version = record.model.partition("@")
    path = path_of(record.id)
    resource: dict[str, Any] = {
        "id": record.id,
        "object": "batch",
        "status": record.status,
        "model": {"name": name, "version": int(version), "sha256": record.sha256},
        "counts": {
            "total": record.total,
            "succeeded": record.rows - record.failed,
            "failed": record.failed,
        },
        "progress": round(record.progress, 4),
        "eta_seconds": eta_seconds(record, time.time()),
        "results": record.asked.results,
        "created_at": written(record.created),
        "started_at": _written(record.started),
        "finished_at": _written(record.finished),
        "deadline_at": _written(record.deadline),
        "expires_at": _written(record.expires),
        "error": record.error and orjson.Fragment(record.error),
        "metadata": orjson.Fragment(record.metadata),
        "urls": {
            "self": path,
            "cancel": f"{path}/cancel",
            "results": f"{path}/results",
            "errors": f"{path}/errors",
        },
    }
    return orjson.dumps(resource)


def eta_seconds(record: BatchRecord, now: float) -> float | None:
    """By how fast it went so far; None where nobody can tell."""
    if record.status.ended or record.status is BatchStatus.FINALIZING:
        return 0
    if record.started is None or not record.progress:
        return None
    elapsed = max(now - record.started / 1000, 0)
    return round(elapsed * (1 - record.progress) / record.progress, 1)


def _written(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else written(milliseconds)
