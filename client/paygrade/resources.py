"""What the service answers, as types of plain dictionaries: jobs, outputs, models."""

import uuid
from collections.abc import Mapping
from typing import Any, NotRequired, TypeAlias, TypedDict

from paygrade.errors import InvalidInput

Resource: TypeAlias = dict[str, Any]
Row: TypeAlias = Mapping[str, Any]

PATHS = {"prediction": "/v1/predictions", "batch": "/v1/batches"}
STATUSES = {
    "prediction": ("queued", "running", "succeeded", "partially_succeeded", "failed", "canceled", "expired"),
    "batch": (
        *("validating", "queued", "running", "finalizing", "succeeded", "partially_succeeded", "failed"),
        *("canceling", "canceled", "expired"),
    ),
}
_KINDS = {"pred": "prediction", "batch": "batch"}


class ReasonOfJob(TypedDict):
    type: str
    detail: str


class VersionOfJob(TypedDict):
    name: str
    version: int
    sha256: str


class QueuePosition(TypedDict):
    position: int
    eta_seconds: float | None


class CountsOfRows(TypedDict):
    total: int | None
    succeeded: int
    failed: int


class CountsOfFiles(TypedDict):
    total: int
    failed: int


class FileOfManifest(TypedDict):
    """A file of a batch of several; `results` and `errors` are None where nothing was written."""

    file: int
    name: str
    input: str
    size: int
    etag: str
    status: str
    rows: int
    succeeded: int
    failed: int
    error: ReasonOfJob | None
    results: Resource | None
    errors: Resource | None


class BatchManifest(TypedDict):
    """What became of each file of a batch of several; `results` is their format."""

    object: str
    id: str
    model: VersionOfJob
    input: str
    results: str
    counts: dict[str, int]
    files: list[FileOfManifest]


class Output(TypedDict, total=False):
    """What a row scored, or its `error`. Which members there are depends on the model."""

    prediction: Any
    label: str
    probability: Any
    probabilities: dict[str, float]
    interval: list[float]
    contributions: dict[str, float]
    base: float
    warnings: list[str]
    error: ReasonOfJob


class Job(TypedDict):
    """A prediction or a batch; `finished_at` is None until it has ended."""

    id: str
    object: str
    status: str
    model: VersionOfJob
    created_at: str
    started_at: str | None
    finished_at: str | None
    deadline_at: str | None
    expires_at: str | None
    error: ReasonOfJob | None
    metadata: dict[str, str]
    urls: dict[str, str]
    retry_of: NotRequired[str]
    queue: NotRequired[QueuePosition | None]
    output: NotRequired[Output | None]
    outputs: NotRequired[list[Output]]
    counts: NotRequired[CountsOfRows]
    files: NotRequired[CountsOfFiles]
    progress: NotRequired[float]
    eta_seconds: NotRequired[float | None]
    results: NotRequired[str]


class Model(TypedDict):
    """A version of a model; `row` is the JSON Schema of a row."""

    name: str
    version: int
    sha256: str
    default: bool
    versions: list[int]
    aliases: dict[str, int]
    target: str
    unit: str
    objective: str
    scores: str
    metrics: dict[str, Any]
    row: dict[str, Any]
    proof: str | None
    example: Resource | None
    urls: dict[str, str]


def id_of(job: str | Mapping[str, Any]) -> str:
    """A job may be given by its id or by its resource."""
    return job if isinstance(job, str) else str(job["id"])


def path_of(job: str | Mapping[str, Any]) -> str:
    """Raises InvalidInput for what is not the id of a prediction or a batch."""
    job_id = id_of(job)
    prefix, _, number = job_id.partition("_")
    try:
        known = prefix in _KINDS and str(uuid.UUID(number)) == number
    except ValueError:
        known = False
    if not known:
        raise InvalidInput(f"{job_id!a} is not the id of a job: it must be pred_ or batch_ and a UUID")
    return f"{PATHS[_KINDS[prefix]]}/{job_id}"


def given(**values: Any) -> Resource:
    """The values that are not None."""
    return {name: value for name, value in values.items() if value is not None}
