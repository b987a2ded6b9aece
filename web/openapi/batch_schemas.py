"""The resources and lists of batches; schemas.py has those of predictions."""

from typing import Annotated, Any, Literal, NotRequired

from pydantic import Field
from typing_extensions import TypedDict

from jobs.batches.status import BatchStatus
from jobs.files.tables import Format
from web.openapi.schemas import JOB_ID, Count, ListUrlsSchema, ModelVersionSchema, Path, ReasonSchema, Time

BATCH_ID = JOB_ID.replace("pred_", "batch_")


class BatchCountsSchema(TypedDict):
    """Rows. `total` is known once the file has been checked."""

    total: Count | None
    succeeded: Count
    failed: Count


class BatchFilesSchema(TypedDict):
    """The files of a batch of several. Those that failed could not be read, or not to their end."""

    total: Count
    failed: Count


class BatchUrlsSchema(TypedDict):
    """Of a batch of several files, `results` and `errors` need `?file=N`."""

    self: Path
    cancel: Path
    results: Path
    errors: Path
    manifest: NotRequired[Path]


class BatchSchema(TypedDict):
    """A job that scores a file."""

    id: Annotated[str, Field(pattern=BATCH_ID, description="`batch_` and a UUIDv7")]
    object: Literal["batch"]
    status: BatchStatus
    model: ModelVersionSchema
    counts: BatchCountsSchema
    files: NotRequired[BatchFilesSchema]
    progress: Annotated[float, Field(ge=0, le=1)]
    eta_seconds: Annotated[float, Field(ge=0)] | None
    results: Annotated[Format, Field(description="Format of the results")]
    created_at: Time
    started_at: Time | None
    finished_at: Time | None
    deadline_at: Time | None
    expires_at: Time | None
    retry_of: NotRequired[Annotated[str, Field(description="The batch that this one tries again")]]
    error: ReasonSchema | None
    metadata: dict[str, str]
    urls: BatchUrlsSchema


class BatchListSchema(TypedDict):
    """A page of the caller's own batches, newest first. `next_cursor` is null on the last page."""

    object: Literal["list"]
    data: list[BatchSchema]
    next_cursor: str | None
    urls: ListUrlsSchema


class ManifestCountsSchema(TypedDict):
    files: Count
    failed_files: Count
    rows: Count
    succeeded: Count
    failed: Count


class WrittenFileSchema(TypedDict):
    """A file of results or errors. It has an ETag in S3, and otherwise a digest."""

    address: NotRequired[str]
    size: Count
    etag: NotRequired[str]
    sha256: NotRequired[str]


class ManifestFileSchema(TypedDict):
    """A file of the input, and what became of it. `status` is as of a batch with this file alone."""

    file: Annotated[int, Field(ge=0, description="Number of the file, for `?file=N`")]
    name: Annotated[str, Field(description="What the names of its results begin with")]
    input: str
    size: Count
    etag: str
    status: BatchStatus
    rows: Count
    succeeded: Count
    failed: Count
    error: ReasonSchema | None
    results: WrittenFileSchema | None
    errors: WrittenFileSchema | None


class ManifestSchema(TypedDict):
    """The files of a batch of several, in the order in which they were listed."""

    object: Literal["manifest"]
    id: str
    model: ModelVersionSchema
    input: str
    results: Format
    counts: ManifestCountsSchema
    files: list[ManifestFileSchema]


class PreviewFilesSchema(BatchFilesSchema):
    errors: list[dict[str, str]]


class PreviewSchema(TypedDict):
    """What a dry run found in the first rows."""

    columns: dict[str, list[str]]
    rows: Count
    looked_at: Count
    failed: Count
    errors: list[dict[str, Any]]
    estimate_seconds: float | None
    files: NotRequired[PreviewFilesSchema]
