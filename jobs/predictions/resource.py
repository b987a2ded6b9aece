"""A prediction as callers see it, computed from its record."""

import math
from typing import Any

import orjson

from jobs import ids
from jobs.predictions.record import PredictionRecord
from jobs.queues.capacity import MOST_SECONDS, UNKNOWN_SECONDS, Capacity

PATH = "/v1/predictions"


def path_of(job_id: str) -> str:
    return f"{PATH}/{job_id}"


def rows_left(record: PredictionRecord) -> int:
    """How many rows are to be scored until this job, which is queued, is done: its own included."""
    return (record.position or 1) - 1 + record.rows


def seconds_for(capacity: Capacity, rows: int, explained: bool = False) -> float | None:
    """How long so many rows take; None where that is not known."""
    pace = capacity.explained_per_second if explained else capacity.rows_per_second
    return rows / pace if pace else None


def retry_after(capacity: Capacity, rows: int, explained: bool = False) -> int:
    """Whole seconds, at most MOST_SECONDS, after which so many rows should be done."""
    seconds = seconds_for(capacity, rows, explained)
    if seconds is None:
        return 1 if capacity.children else UNKNOWN_SECONDS
    return min(max(math.ceil(seconds), 1), MOST_SECONDS)


def prediction(record: PredictionRecord, capacity: Capacity) -> bytes:
    """The resource as JSON."""
    path = path_of(record.id)
    resource: dict[str, Any] = {
        "id": record.id,
        "object": "prediction",
        "status": record.status,
        "model": ids.model_of(record.model, record.sha256),
        "created_at": ids.rfc3339(ids.created_ms(record.id)),
        "started_at": ids.time_of(record.started),
        "finished_at": ids.time_of(record.finished),
        "deadline_at": ids.time_of(record.deadline),
        "expires_at": ids.time_of(record.expires),
    }
    if record.position:
        eta = seconds_for(capacity, rows_left(record), record.explained)
        resource["queue"] = {
            "position": record.position,
            "eta_seconds": None if eta is None else round(eta, 3),
        }
    outputs = record.outputs
    if outputs is not None and outputs.startswith(b"["):
        resource["outputs"] = orjson.Fragment(outputs)
    else:
        resource["output"] = outputs and orjson.Fragment(outputs)
    resource["error"] = record.error and orjson.Fragment(record.error)
    resource["metadata"] = orjson.Fragment(record.metadata)
    resource["urls"] = {"self": path, "cancel": f"{path}/cancel"}
    return orjson.dumps(resource)
