"""Webhooks: their deliveries."""

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from jobs.webhooks.delivery import DeliveryStatus
from web.openapi.schemas import Path, Time


class AttemptSchema(TypedDict):
    """One attempt to deliver a webhook."""

    at: Time
    status: Annotated[int | None, Field(description="Of the receiver's answer; null without an answer")]
    error: Annotated[
        Literal[
            "connection_failed",
            "forbidden_address",
            "no_answer",
            "no_secret",
            "timeout",
            "tls_failed",
            "unknown_host",
        ]
        | None,
        Field(description="Why there is no answer"),
    ]
    seconds: Annotated[float, Field(ge=0)]


class DeliveryUrlsSchema(TypedDict):
    redeliver: Path


class DeliverySchema(TypedDict):
    """What became of the webhook of a job, which is sent when the job has ended."""

    id: Annotated[str, Field(pattern="^msg_", description="The header webhook-id that the receiver gets")]
    object: Literal["delivery"]
    job: str
    type: Annotated[str, Field(description="`prediction.` or `batch.` and the status of the job")]
    url: str
    status: DeliveryStatus
    created_at: Time
    attempts: list[AttemptSchema]
    next_attempt_at: Annotated[Time | None, Field(description="Null if it is not sent again")]
    urls: DeliveryUrlsSchema


class DeliveryListSchema(TypedDict):
    """The deliveries of a job: none before it has ended, or if it has no webhook."""

    object: Literal["list"]
    data: list[DeliverySchema]
