"""BatchRoutes, as the document has them."""

from collections.abc import Iterator
from typing import Annotated, Any, Literal

from pydantic import Field
from typing_extensions import TypedDict

from jobs.batches.status import BatchStatus
from jobs.files.tables import MEDIA_TYPES, Format
from web.batch_body import BatchBody, Options
from web.openapi.answers import JOB_ID, Count, ListUrls, ModelVersion, Path, Reason, Time
from web.openapi.jobs import Kind
from web.openapi.operation import JSON, Answer, Operation
from web.openapi.parameters import CANCEL_AFTER, ONCE, WAIT, in_query

BATCH_ID = JOB_ID.replace("pred_", "batch_")


class BatchCounts(TypedDict):
    """Rows; `total` is known once the file has been looked at."""

    total: Count | None
    succeeded: Count
    failed: Count


class BatchUrls(TypedDict):
    self: Path
    cancel: Path
    results: Path
    errors: Path


class Batch(TypedDict):
    """A request for the scores of a file, and what became of it."""

    id: Annotated[str, Field(pattern=BATCH_ID, description="`batch_` and a UUIDv7")]
    object: Literal["batch"]
    status: BatchStatus
    model: ModelVersion
    counts: BatchCounts
    progress: Annotated[float, Field(ge=0, le=1)]
    eta_seconds: Annotated[float, Field(ge=0)] | None
    results: Annotated[Format, Field(description="Their format")]
    created_at: Time
    started_at: Time | None
    finished_at: Time | None
    deadline_at: Time | None
    expires_at: Time | None
    error: Reason | None
    metadata: dict[str, str]
    urls: BatchUrls


class BatchList(TypedDict):
    """A page of batches; `next_cursor` is null on the last."""

    object: Literal["list"]
    data: list[Batch]
    next_cursor: str | None
    urls: ListUrls


class Preview(TypedDict):
    """What a dry run found in the first rows."""

    columns: dict[str, list[str]]
    rows: Count
    looked_at: Count
    failed: Count
    errors: list[dict[str, Any]]
    estimate_seconds: float | None


ANSWERS = (Batch, BatchList, Preview)

_BATCHES = Kind("batch", "batches", BATCH_ID, BatchStatus)
_DESCRIPTION = """\
The file is sent as it is, or with `Content-Encoding: gzip`; the query has the options. A file in S3 may be \
gzip as well. Results have a line for each row: the columns that are not features, what the model gives, \
`warnings` of values outside what training saw, where that is known, and `error`, empty where the row was \
scored."""
_SHOWN = Answer("The batch", "Batch", always=("Cache-Control",), sometimes=("Retry-After",))


def operations() -> Iterator[Operation]:
    yield _post()
    yield _BATCHES.listed("List your own batches, the newest first", "BatchList")
    of_one = _BATCHES.of_one
    yield of_one("get", "", "showBatch", "Show a batch, or wait for its end", {200: _SHOWN}, (406,), WAIT)
    yield of_one(
        "delete", "", "deleteBatch", "Remove a batch that has ended", {204: Answer("Removed")}, (409,)
    )
    yield of_one(
        "post",
        "/cancel",
        "cancelBatch",
        "Stop a batch; what was scored stays",
        {200: _SHOWN, 202: _SHOWN},
        (406, 409),
    )
    file = Answer("The file", {}, "*/*", always=("ETag", "Accept-Ranges", "Cache-Control"))
    part = Answer("A part of it", {}, "*/*", always=("ETag", "Accept-Ranges", "Content-Range"))
    for name, what in (("results", "a line for each row"), ("errors", "a line for each row that failed")):
        answers = {200: file, 206: part}
        yield of_one(
            "get", f"/{name}", f"batch{name.title()}", f"The {name}: {what}", answers, (406, 409, 416)
        )


def _post() -> Operation:
    options = Options.model_json_schema()["properties"]
    options["results"] = {"description": options["results"]["description"], "enum": list(Format)}
    return Operation(
        "post",
        _BATCHES.path,
        "createBatch",
        _BATCHES.all,
        "Ask for the scores of a file",
        {
            200: Answer("With `dry_run`: a look at the first rows", "Preview", always=("Cache-Control",)),
            202: Answer(
                "Accepted: its file is stored, and it is in the line",
                "Batch",
                always=("Location", "Cache-Control"),
                sometimes=("Retry-After", "Idempotency-Replayed"),
            ),
        },
        (404, 406, 409, 413, 415, 422, 429, 503),
        description=_DESCRIPTION,
        parameters=(
            *(in_query(name, **schema) for name, schema in options.items()),
            ONCE,
            CANCEL_AFTER,
        ),
        body={
            "required": True,
            "content": {
                **{media_type: {"schema": {"type": "string"}} for media_type in MEDIA_TYPES.values()},
                JSON: {"schema": BatchBody.model_json_schema()},
            },
        },
    )
