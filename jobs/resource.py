"""A prediction and the capacity as callers see them, computed from what Redis has."""

from typing import Any

import orjson

from jobs.capacity import Capacity
from jobs.record import Record
from jobs.times import written

PATH = "/v1/predictions"


def path_of(job_id: str) -> str:
    return f"{PATH}/{job_id}"


def prediction(record: Record, capacity: Capacity) -> bytes:
    """The resource as JSON."""
    name, _, version = record.model.partition("@")
    path = path_of(record.id)
    resource: dict[str, Any] = {
        "id": record.id,
        "object": "prediction",
        "status": record.status,
        "model": {"name": name, "version": int(version), "sha256": record.sha256},
        "created_at": _time(record.created),
        "started_at": _time(record.started),
        "finished_at": _time(record.finished),
        "deadline_at": _time(record.deadline),
        "expires_at": _time(record.expires),
    }
    if record.position:
        eta = capacity.seconds_for(record.position)
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


def capacity(now: Capacity, accepting: bool) -> dict[str, Any]:
    return {
        "object": "capacity",
        "waiting": now.waiting,
        "rows": now.rows,
        "claimed": now.claimed,
        "oldest_age_seconds": now.oldest_seconds,
        "workers": now.workers,
        "children": len(now.children),
        "rows_per_second": now.rows_per_second,
        "releases": sorted({process.release for process in (*now.webs, *now.children)}),
        "accepting": accepting,
    }


def _time(milliseconds: int | None) -> str | None:
    return None if milliseconds is None else written(milliseconds)
