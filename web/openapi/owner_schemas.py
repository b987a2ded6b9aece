"""Owners, which operators see."""

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from web.openapi.schemas import Count


class OwnerSchema(TypedDict):
    """What an owner has, over all of its keys."""

    name: str
    predictions: Annotated[Count, Field(description="Predictions that wait, run, or have not expired yet")]
    batches: Annotated[Count, Field(description="Batches that wait, run, or have not expired yet")]
    rows_this_minute: Annotated[
        Count, Field(description="Rows of predictions that were posted in this minute")
    ]
    kept_bytes: Annotated[Count, Field(description="What its ended jobs take in Redis")]


class OwnerListSchema(TypedDict):
    """The owners of the keys; where no keys are set, the one owner of all jobs."""

    object: Literal["list"]
    data: list[OwnerSchema]
