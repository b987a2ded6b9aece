"""Dead letters, which operators see."""

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from web.openapi.schemas import Count, ModelVersionSchema, Path, ReasonSchema, Time


class DeadLetterUrlsSchema(TypedDict):
    self: Path
    replay: Path


class DeadLetterSchema(TypedDict):
    """A job that the service gave up, or a webhook that could not be delivered."""

    id: Annotated[str, Field(description="Id of the job, or of the delivery")]
    object: Literal["dead_letter"]
    kind: Literal["prediction", "batch", "delivery"]
    job: str
    owner: str
    model: ModelVersionSchema | None
    reason: ReasonSchema
    attempts: Annotated[
        Count | None,
        Field(
            description="Attempts of the job or the delivery; null for a batch, whose parts have their own"
        ),
    ]
    created_at: Time
    given_up_at: Time
    urls: DeadLetterUrlsSchema


class DeadLetterListSchema(TypedDict):
    """The newest letters."""

    object: Literal["list"]
    data: list[DeadLetterSchema]


class ReplayedSchema(TypedDict):
    id: str
    replayed_as: Annotated[str, Field(description="Id of the new job, or of the delivery")]
