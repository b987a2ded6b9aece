"""What real responses look like: an example for each component that people ask for most."""

from typing import Any

from jobs import RELEASE

_MODEL = {
    "name": "salary",
    "version": 1,
    "sha256": "c176bdea49324a06b5ba0849cfc68966ce80a9ccf749fd815fd4943a9ee8bc45",
}
_PREDICTION = "/v1/predictions/pred_0199d3c0-5d5e-7cc4-9a51-5a3f6a1d2c3b"
_BATCH = "/v1/batches/batch_0199d3c0-7a10-7b1e-8d44-1f2e3d4c5b6a"

EXAMPLES: dict[str, dict[str, Any]] = {
    "Prediction": {
        "id": _PREDICTION.rpartition("/")[2],
        "object": "prediction",
        "status": "succeeded",
        "model": _MODEL,
        "created_at": "2026-03-02T09:30:00.123Z",
        "started_at": "2026-03-02T09:30:00.125Z",
        "finished_at": "2026-03-02T09:30:00.126Z",
        "deadline_at": None,
        "expires_at": "2026-03-02T15:30:00.126Z",
        "output": {"prediction": 260.00012},
        "error": None,
        "metadata": {},
        "urls": {"self": _PREDICTION, "cancel": f"{_PREDICTION}/cancel"},
    },
    "Batch": {
        "id": _BATCH.rpartition("/")[2],
        "object": "batch",
        "status": "partially_succeeded",
        "model": _MODEL,
        "created_at": "2026-03-02T09:30:00.123Z",
        "started_at": "2026-03-02T09:30:00.131Z",
        "finished_at": "2026-03-02T09:30:00.240Z",
        "deadline_at": None,
        "expires_at": "2026-03-02T15:30:00.240Z",
        "counts": {"total": 3, "succeeded": 2, "failed": 1},
        "progress": 1.0,
        "eta_seconds": 0,
        "results": "csv",
        "error": None,
        "metadata": {},
        "urls": {
            "self": _BATCH,
            "cancel": f"{_BATCH}/cancel",
            "results": f"{_BATCH}/results",
            "errors": f"{_BATCH}/errors",
        },
    },
    "Preview": {
        "columns": {
            "found": ["name", "years"],
            "kept": ["name"],
            "added": ["prediction", "warnings", "error"],
        },
        "rows": 3,
        "looked_at": 3,
        "failed": 1,
        "errors": [{"row": 1, "errors": [{"pointer": "/years", "detail": "must be a number"}]}],
        "estimate_seconds": None,
    },
    "Problem": {
        "type": "urn:paygrade:unprocessable-entity",
        "title": "Unprocessable Entity",
        "status": 422,
        "detail": "the rows do not fit the model; see errors",
        "errors": [{"pointer": "/inputs/years", "detail": "must be a number"}],
    },
    "Capacity": {
        "object": "capacity",
        "waiting": 120,
        "rows": 240,
        "claimed": 64,
        "oldest_age_seconds": 0.4,
        "workers": 1,
        "start_seconds": None,
        "children": 2,
        "rows_per_second": 5400,
        "releases": [RELEASE],
        "accepting": True,
        "batches": {
            "open": 1,
            "waiting": 3,
            "claimed": 1,
            "oldest_age_seconds": 2.1,
            "children": 1,
            "rows_per_second": 61000,
        },
    },
}
"""By the names of the components."""
