"""A batch as callers see it, computed from its record."""

import time
from typing import Any

import orjson

from jobs import ids
from jobs.batches.record import BatchRecord

PATH = "/v1/batches"


def path_of(job_id: str) -> str:
    return f"{PATH}/{job_id}"


def batch(record: BatchRecord) -> bytes:
    """The resource as JSON."""
    path = path_of(record.id)
    resource: dict[str, Any] = {
        "id": record.id,
        "object": "batch",
        "status": record.status,
        "model": ids.model_of(record.model, record.sha256),
        "counts": {
            "total": record.total,
            "succeeded": record.rows - record.failed,
            "failed": record.failed,
        },
        "progress": round(record.progress, 4),
        "eta_seconds": record.eta_seconds(time.time()),
        "results": record.options.results,
        "created_at": ids.rfc3339(ids.created_ms(record.id)),
        "started_at": ids.time_of(record.started),
        "finished_at": ids.time_of(record.finished),
        "deadline_at": ids.time_of(record.deadline),
        "expires_at": ids.time_of(record.expires),
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
