"""The resources, lists and problems of responses. Tests check real responses against them.

A class is a component of the document under its name without `Schema`.
"""

from collections.abc import Iterable
from typing import Annotated, Any, Literal, NotRequired

from pydantic import AwareDatetime, Field, TypeAdapter
from pydantic.json_schema import GenerateJsonSchema
from pydantic_core import core_schema
from typing_extensions import TypeAliasType, TypedDict

from jobs.predictions.status import PredictionStatus

JOB_ID = r"^pred_[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$"

PredictionId = TypeAliasType(
    "PredictionId", Annotated[str, Field(pattern=JOB_ID, description="`pred_` and a UUIDv7")]
)
Sha256 = TypeAliasType(
    "Sha256", Annotated[str, Field(pattern="^[0-9a-f]{64}$", description="Hash of the bundle")]
)
Path = TypeAliasType("Path", Annotated[str, Field(pattern="^/", description="A relative path")])
Count = Annotated[int, Field(ge=0)]
Version = Annotated[int, Field(ge=1)]
Time = TypeAliasType("Time", Annotated[AwareDatetime, Field(description="RFC 3339, UTC, in milliseconds")])
"""Named types, which are components that others refer to."""


class ModelVersionSchema(TypedDict):
    """The version of the model, which was fixed when the job was posted."""

    name: str
    version: Version
    sha256: Sha256


class QueueSchema(TypedDict):
    """The position of a queued job, in rows, and when it should be done at the measured rate."""

    position: Annotated[int, Field(ge=1)]
    eta_seconds: Annotated[float, Field(ge=0)] | None


class ReasonSchema(TypedDict):
    """Why a job or a row failed."""

    type: str
    detail: str


class OutputSchema(TypedDict):
    """The scores of a row."""

    prediction: Annotated[
        float | dict[str, float],
        Field(
            description="float32, or float64 where the model gives that, in the fewest digits that read back "
            "the same. For a classifier the number of the most likely class, for quantiles the one nearest "
            "the median. By name where the model has several targets"
        ),
    ]
    label: NotRequired[Annotated[str, Field(description="Name of the most likely class")]]
    probability: NotRequired[
        Annotated[
            float | dict[str, float],
            Field(description="Probability of the second of two classes; by name where there are targets"),
        ]
    ]
    probabilities: NotRequired[
        Annotated[dict[str, float], Field(description="Probabilities by class, for more than two classes")]
    ]
    interval: NotRequired[
        Annotated[
            list[float], Field(min_length=2, max_length=2, description="The lowest and the highest quantile")
        ]
    ]
    contributions: NotRequired[
        Annotated[dict[str, float], Field(description="By feature. Their sum with `base` is the margin")]
    ]
    base: NotRequired[
        Annotated[float, Field(description="The part of the margin that no feature contributes")]
    ]
    warnings: NotRequired[
        Annotated[list[str], Field(description="Values outside the range of the training data")]
    ]


class RowErrorSchema(TypedDict):
    """What a row has instead of an output if it could not be scored."""

    error: ReasonSchema


class JobUrlsSchema(TypedDict):
    self: Path
    cancel: Path


class PredictionSchema(TypedDict):
    """A job that scores one row (`output`) or a list of rows (`outputs`, in the same order)."""

    id: PredictionId
    object: Literal["prediction"]
    status: PredictionStatus
    model: ModelVersionSchema
    created_at: Time
    started_at: Time | None
    finished_at: Time | None
    deadline_at: Annotated[
        Time | None, Field(description="If the job has not started by then, it becomes `expired`")
    ]
    expires_at: Annotated[Time | None, Field(description="When the job is removed, once it has ended")]
    retry_of: NotRequired[Annotated[str, Field(description="The job that this one tries again")]]
    queue: NotRequired[QueueSchema]
    output: NotRequired[OutputSchema | None]
    outputs: NotRequired[list[OutputSchema | RowErrorSchema]]
    error: ReasonSchema | None
    metadata: dict[str, str]
    urls: JobUrlsSchema


class ListUrlsSchema(TypedDict):
    next: Path | None


class PredictionListSchema(TypedDict):
    """A page of the caller's own predictions, newest first."""

    object: Literal["list"]
    data: list[PredictionSchema]
    next_cursor: Annotated[
        PredictionId | None, Field(description="`cursor` of the next page; null on the last")
    ]
    urls: ListUrlsSchema


class ModelUrlsSchema(TypedDict):
    self: Path
    report: Annotated[Path | None, Field(description="A page that says how good it is; null without one")]


class ModelSchema(TypedDict):
    """A version of a model: its rows, its target and its metrics."""

    object: Literal["model"]
    name: str
    version: Version
    sha256: Sha256
    default: Annotated[bool, Field(description="Whether a request that names no model gets this version")]
    versions: Annotated[
        list[Version], Field(min_length=1, description="All versions that are served, oldest first")
    ]
    aliases: Annotated[
        dict[str, Version],
        Field(description="The version that each `name@alias` means"),
    ]
    target: Annotated[str, Field(description="Name of what is predicted")]
    unit: str
    objective: Annotated[str, Field(description="The objective, as XGBoost names it")]
    scores: Annotated[
        Literal["float32", "float64"],
        Field(
            description="The type of the scores: read as this type, their digits give each to the last bit"
        ),
    ]
    quantiles: Annotated[list[float], Field(description="Those that it predicts; empty for other models")]
    explained: Annotated[bool, Field(description="Whether `explain` is possible")]
    metrics: dict[str, Any]
    features: Annotated[
        list[dict[str, Any]],
        Field(
            description="What a row has, in order, as in `bundle.json`: `name`, `type` and, where they are "
            "known, `description`, `nullable`, `categories`, the limits `minimum` and `maximum`, and in "
            "`observed` the range that training saw"
        ),
    ]
    row: Annotated[dict[str, Any], Field(description="JSON Schema (2020-12) of a row")]
    proof: Annotated[
        Literal["scores", "target", "none"] | None,
        Field(
            description="How a model trained elsewhere was proved. scores: the scores of a sample equal "
            "its author's, to the last bit. target: only its error was measured. none: it was compared with "
            "nothing. null: it was trained by Paygrade"
        ),
    ]
    example: Annotated[
        dict[str, Any] | None,
        Field(description="A row that can be scored; null if no real row of this model is known"),
    ]
    examples: Annotated[list[dict[str, Any]], Field(description="This row and up to nine others")]
    urls: ModelUrlsSchema


class ModelListSchema(TypedDict):
    """The newest version of each model."""

    object: Literal["list"]
    data: list[ModelSchema]


class SalarySchema(TypedDict):
    salary: Annotated[str, Field(pattern=r"^-?[0-9]", description="The score, as text")]


class BatchCapacitySchema(TypedDict):
    """What waits and runs for batches. Planning a batch and joining its parts count as a chunk each."""

    open: Annotated[Count, Field(description="Batches that have not ended")]
    waiting: Annotated[Count, Field(description="Chunks that no worker has claimed")]
    claimed: Annotated[Count, Field(description="Chunks that workers have claimed")]
    oldest_age_seconds: Annotated[float, Field(ge=0, description="How long the next chunk has been queued")]
    children: Annotated[Count, Field(description="Worker processes that score batches")]
    rows_per_second: Annotated[
        Count, Field(description="Rows of batches that they score in a second while they have work")
    ]


class CapacitySchema(TypedDict):
    """What waits and runs: first for predictions, then for batches."""

    object: Literal["capacity"]
    waiting: Annotated[Count, Field(description="Predictions that no worker has claimed")]
    rows: Annotated[Count, Field(description="Rows of those predictions")]
    claimed: Annotated[Count, Field(description="Predictions that workers have claimed")]
    oldest_age_seconds: Annotated[
        float, Field(ge=0, description="Age of the prediction that has waited longest")
    ]
    workers: Count
    start_seconds: Annotated[
        float | None,
        Field(description="Seconds until a sleeping worker should be up; null if one is, or none is woken"),
    ]
    children: Annotated[Count, Field(description="Worker processes that score predictions")]
    rows_per_second: Annotated[
        Count, Field(description="Rows of predictions that they score in a second while they have work")
    ]
    releases: Annotated[list[str], Field(description="Releases of all live web and worker processes")]
    accepting: Annotated[bool, Field(description="Whether a prediction would be accepted now")]
    batches: BatchCapacitySchema


class HealthSchema(TypedDict):
    status: Literal["ok", "ready"]


class FaultSchema(TypedDict):
    """One fault, and where it is."""

    pointer: Annotated[str, Field(pattern="^(/|$)", description="JSON pointer (RFC 6901) into the body")]
    detail: str


class ProblemSchema(TypedDict):
    """Problem details (RFC 9457)."""

    type: Annotated[str, Field(pattern="^urn:paygrade:")]
    title: str
    status: Annotated[int, Field(ge=400, le=599)]
    detail: Annotated[str, Field(description="What is wrong, and what to do")]
    errors: NotRequired[Annotated[list[FaultSchema], Field(min_length=1)]]
    error: NotRequired[Annotated[str, Field(description="Under /v2: the detail and the faults in one line")]]


class ClosedSchema(GenerateJsonSchema):
    """Allows no members but those named, and gives no titles, which would repeat a name."""

    def typed_dict_schema(self, schema: core_schema.TypedDictSchema) -> dict[str, Any]:
        described = super().typed_dict_schema(schema)
        del described["title"]
        return {**described, "additionalProperties": False}

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def normalize_name(self, name: str) -> str:
        return component_of(super().normalize_name(name))


def component_of(name: str) -> str:
    return name.removesuffix("Schema")


def component_schemas(types: Iterable[type]) -> dict[str, Any]:
    """The types, and those that they refer to, by the names of their components."""
    adapters: list[Any] = [(each.__name__, "serialization", TypeAdapter(each)) for each in types]
    _, defined = TypeAdapter.json_schemas(
        adapters, ref_template="#/components/schemas/{model}", schema_generator=ClosedSchema
    )
    schemas: dict[str, Any] = defined["$defs"]
    return schemas
