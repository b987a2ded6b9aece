"""A prediction as callers see it, computed from its record."""

import math

import orjson

from jobs.ids import resource_of
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
    if capacity.start_seconds is not None:
        seconds = capacity.start_seconds
    if seconds is None:
        return 1 if capacity.children else UNKNOWN_SECONDS
    return min(max(math.ceil(seconds), 1), MOST_SECONDS)


def prediction(record: PredictionRecord, capacity: Capacity) -> bytes:
    """The resource as JSON."""
    path = path_of(record.id)
    resource = resource_of(record, "prediction")
    if record.position:
        eta = seconds_for(capacity, rows_left(record), record.explained)
        resource["queue"] = {
            "position": record.position,
            "eta_seconds": None if eta is None else round(eta, 3),
        }
    if record.retry_of:
        resource["retry_of"] = record.retry_of
    outputs = record.outputs
    if outputs is not None and outputs.startswith(b"["):
        resource["outputs"] = orjson.Fragment(outputs)
    else:
        resource["output"] = outputs and orjson.Fragment(outputs)
    resource["error"] = record.error and orjson.Fragment(record.error)
    resource["metadata"] = orjson.Fragment(record.metadata)
    resource["urls"] = {"self": path, "cancel": f"{path}/cancel"}
    return orjson.dumps(resource)
