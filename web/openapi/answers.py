"""What is answered, as types: resources, lists and problems. Tests hold real answers to their schemas."""

from functools import cache
from typing import Annotated, Any, Literal, NotRequired

from pydantic import AwareDatetime, Field, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema
from typing_extensions import TypedDict

from jobs.predictions.status import PredictionStatus

JOB_ID = r"^pred_[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"

JobId = Annotated[str, Field(pattern=JOB_ID, description="`pred_` and a UUIDv7")]
Sha256 = Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="Hash of the bundle")]
Path = Annotated[str, Field(pattern="^/", description="A relative path")]
Count = Annotated[int, Field(ge=0)]
Version = Annotated[int, Field(ge=1)]
Time = Annotated[AwareDatetime, Field(description="RFC 3339, UTC, in milliseconds")]


class ModelVersion(TypedDict):
    """The version of the model that was settled when the job was posted."""

    name: str
    version: Version
    sha256: Sha256


class Queue(TypedDict):
    """Where a queued job stands in its line, in rows, and when it should be done by the measured rate."""

    position: Annotated[int, Field(ge=1)]
    eta_seconds: Annotated[float, Field(ge=0)] | None


class Reason(TypedDict):
    """Why a job or a row failed."""

    type: str
    detail: str


class Output(TypedDict):
    """What the model gave for a row."""

    prediction: Annotated[
        float,
        Field(
            description="float32, in the fewest digits that read back the same; of a classifier the number "
            "of the likeliest class; of quantiles the one nearest the median"
        ),
    ]
    label: NotRequired[Annotated[str, Field(description="Name of the likeliest class")]]
    probability: NotRequired[Annotated[float, Field(description="Of the second of two classes")]]
    probabilities: NotRequired[Annotated[dict[str, float], Field(description="By class, of several")]]
    interval: NotRequired[
        Annotated[
            list[float],
            Field(min_length=2, max_length=2, description="The lowest and the highest quantile"),
        ]
    ]
    contributions: NotRequired[
        Annotated[
            dict[str, float],
            Field(description="By feature, with the value of this row; with `base` their sum is the margin"),
        ]
    ]
    base: NotRequired[Annotated[float, Field(description="The margin of which contributions tell the rest")]]
    warnings: NotRequired[Annotated[list[str], Field(description="Values outside what training saw")]]


class RowError(TypedDict):
    """In the place of an output: this row could not be scored."""

    error: Reason


class JobUrls(TypedDict):
    self: Path
    cancel: Path


class Prediction(TypedDict):
    """A job that scores one row (`output`) or a list of rows (`outputs`, in their order)."""

    id: JobId
    object: Literal["prediction"]
    status: PredictionStatus
    model: ModelVersion
    created_at: Time
    started_at: Time | None
    finished_at: Time | None
    deadline_at: Annotated[Time | None, Field(description="Not started by then, it is `expired`")]
    expires_at: Annotated[Time | None, Field(description="When an ended job is removed")]
    queue: NotRequired[Queue]
    output: NotRequired[Output | None]
    outputs: NotRequired[list[Output | RowError]]
    error: Reason | None
    metadata: dict[str, str]
    urls: JobUrls


class ListUrls(TypedDict):
    next: Path | None


class PredictionList(TypedDict):
    """A page of the caller's own predictions, the newest first."""

    object: Literal["list"]
    data: list[Prediction]
    next_cursor: Annotated[JobId | None, Field(description="`cursor` of the next page; null on the last")]
    urls: ListUrls


class ModelUrls(TypedDict):
    self: Path


class Model(TypedDict):
    """A version of a model: what it takes, what it gives, and what it says of itself."""

    object: Literal["model"]
    name: str
    version: Version
    sha256: Sha256
    default: Annotated[bool, Field(description="Whether a request that names no model gets this version")]
    versions: Annotated[list[Version], Field(min_length=1, description="All that are served, oldest first")]
    target: Annotated[str, Field(description="What is predicted")]
    unit: str
    objective: Annotated[str, Field(description="As XGBoost names it")]
    metrics: dict[str, Any]
    row: Annotated[dict[str, Any], Field(description="JSON Schema (2020-12) of a row")]
    example: Annotated[dict[str, Any], Field(description="A row that is scored")]
    urls: ModelUrls


class ModelList(TypedDict):
    """The newest version of each model."""

    object: Literal["list"]
    data: list[Model]


class Salary(TypedDict):
    salary: Annotated[str, Field(pattern=r"^-?[0-9]", description="The score, as text")]


class BatchCapacity(TypedDict):
    """How batches stand; to plan one, and to join its parts, count as a chunk each."""

    open: Annotated[Count, Field(description="BatchRoutes that have not ended")]
    waiting: Annotated[Count, Field(description="Chunks that nobody has claimed")]
    claimed: Annotated[Count, Field(description="Chunks that workers are at")]
    oldest_age_seconds: Annotated[
        float, Field(ge=0, description="How long the next chunk has been in the line")
    ]
    children: Annotated[Count, Field(description="Processes of the workers that score batches")]
    rows_per_second: Annotated[Count, Field(description="What they score together while they have work")]


class Capacity(TypedDict):
    """How things stand: first of predictions, then of batches."""

    object: Literal["capacity"]
    waiting: Annotated[Count, Field(description="Jobs in the line that nobody has claimed")]
    rows: Annotated[Count, Field(description="Rows of those jobs")]
    claimed: Annotated[Count, Field(description="Jobs that workers are at")]
    oldest_age_seconds: Annotated[float, Field(ge=0, description="Of the job that has waited longest")]
    workers: Count
    children: Annotated[Count, Field(description="Processes of the workers that score")]
    rows_per_second: Annotated[Count, Field(description="What they score together while they have work")]
    releases: Annotated[list[str], Field(description="Of all web and worker processes that live")]
    accepting: Annotated[bool, Field(description="Whether a job would be accepted now")]
    batches: BatchCapacity


class Health(TypedDict):
    status: Literal["ok", "ready"]


class Fault(TypedDict):
    """One thing that is wrong, and where."""

    pointer: Annotated[str, Field(pattern="^(/|$)", description="JSON pointer (RFC 6901) into the body")]
    detail: str


class Problem(TypedDict):
    """Problem details (RFC 9457)."""

    type: Annotated[str, Field(pattern="^urn:paygrade:")]
    title: str
    status: Annotated[int, Field(ge=400, le=599)]
    detail: Annotated[str, Field(description="What is wrong, and what to do")]
    errors: NotRequired[Annotated[list[Fault], Field(min_length=1)]]
    error: NotRequired[Annotated[str, Field(description="Under /v2: all of it in one line")]]


ANSWERS = (Prediction, PredictionList, Model, ModelList, Capacity, Salary, Health, Problem)


class ClosedSchema(GenerateJsonSchema):
    """An answer has the members that are named and no other; none has a title that repeats its name."""

    def typed_dict_schema(self, schema: core_schema.TypedDictSchema) -> dict[str, Any]:
        return {**super().typed_dict_schema(schema), "additionalProperties": False}

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False


@cache
def schemas_of(answers: tuple[type, ...]) -> dict[str, Any]:
    """By the names of the types, as an OpenAPI document keeps them."""
    adapters: list[Any] = [(answer.__name__, "serialization", TypeAdapter(answer)) for answer in answers]
    _, defined = TypeAdapter.json_schemas(
        adapters,
        ref_template="#/components/schemas/{model}",
        schema_generator=ClosedSchema,
    )
    schemas: dict[str, Any] = defined["$defs"]
    return schemas
