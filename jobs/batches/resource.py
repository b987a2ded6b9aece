"""A batch as callers see it, computed from its record."""

import time

import orjson

from jobs.batches.record import BatchRecord
from jobs.ids import resource_of

PATH = "/v1/batches"


def path_of(job_id: str) -> str:
    return f"{PATH}/{job_id}"


def batch(record: BatchRecord) -> bytes:
    """The resource as JSON."""
    path = path_of(record.id)
    resource = {
        **resource_of(record, "batch"),
        "counts": {
            "total": record.total,
            "succeeded": record.rows - record.failed,
            "failed": record.failed,
        },
        "progress": round(record.progress, 4),
        "eta_seconds": record.eta_seconds(time.time()),
        "results": record.options.results,
        "error": record.error and orjson.Fragment(record.error),
        "metadata": orjson.Fragment(record.metadata),
        "urls": {
            "self": path,
            "cancel": f"{path}/cancel",
            "results": f"{path}/results",
            "errors": f"{path}/errors",
        },
    }
    if record.options.files:
        resource["files"] = {"total": record.options.files, "failed": record.failed_files}
        resource["urls"]["manifest"] = f"{path}/manifest"
    if record.retry_of:
        resource["retry_of"] = record.retry_of
    return orjson.dumps(resource)
