"""Webhooks and events: their deliveries."""

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from jobs.webhooks.delivery import DeliveryStatus
from web.openapi.schemas import Path, Time


class AttemptSchema(TypedDict):
    """One attempt to deliver a webhook or an event."""

    at: Time
    status: Annotated[
        int | None, Field(description="Status of the receiver's answer; null without an answer")
    ]
    error: Annotated[
        str | None,
        Field(
            description="Why there is no answer: `connection_failed`, `forbidden_address`, `no_answer`, "
            "`no_secret`, `no_target`, `timeout`, `tls_failed`, `unknown_host`; or a code of AWS"
        ),
    ]
    seconds: Annotated[float, Field(ge=0)]


class DeliveryUrlsSchema(TypedDict):
    redeliver: Path


class DeliverySchema(TypedDict):
    """What became of the webhook or of an event of a job, which is sent when the job has ended."""

    id: Annotated[
        str, Field(pattern="^msg_", description="The header webhook-id of a webhook, the `id` of an event")
    ]
    object: Literal["delivery"]
    job: str
    type: Annotated[str, Field(description="`prediction.` or `batch.` and the status of the job")]
    target: Annotated[
        Literal["webhook", "bus", "topic"],
        Field(description="A webhook, or an event on the bus of EventBridge or the topic of SNS"),
    ]
    url: Annotated[str | None, Field(description="Address of a webhook; null for an event")]
    status: DeliveryStatus
    created_at: Time
    attempts: list[AttemptSchema]
    next_attempt_at: Annotated[Time | None, Field(description="Null if it is not sent again")]
    urls: DeliveryUrlsSchema


class DeliveryListSchema(TypedDict):
    """The deliveries of a job: none before it has ended, or if it has no webhook and no event tells of it."""

    object: Literal["list"]
    data: list[DeliverySchema]
