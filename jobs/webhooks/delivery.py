"""The delivery of a webhook or an event: what Redis keeps of it, and what callers see."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple

import orjson

from jobs import ids
from jobs.queues.queue import EVENT_TARGETS

PREFIX = "msg_"
"""Begins the ids of deliveries; then comes the name of the delivery."""
WEBHOOK = "webhook"


class DeliveryStatus(StrEnum):
    PENDING = "pending"
    """It is being sent, or will be sent again."""
    DELIVERED = "delivered"
    """The receiver answered with a status from 200 to 299, or AWS has accepted the event."""
    GIVEN_UP = "given_up"
    """The receiver answered 410, or no attempt of a day succeeded."""


class ClaimedDelivery(NamedTuple):
    """A delivery that this process is to send; `event` is the final status of the job.

    `url` is that of a webhook, or the target of an event.
    """

    name: str
    url: str
    event: str
    tries: int
    created: int
    claimed_at: bytes
    owner: str
    lane: str
    traceparent: str = ""

    @property
    def job_id(self) -> str:
        return job_of(self.name)

    @property
    def target(self) -> str:
        return target_of(self.name)

    @property
    def type(self) -> str:
        return event_type(self.job_id, self.event)


class Delivery(NamedTuple):
    """Times are milliseconds since 1970, UTC; `attempts` are JSON."""

    name: str
    owner: str
    url: str
    event: str
    status: DeliveryStatus
    created: int
    attempts: Sequence[bytes]
    next: int | None

    @property
    def job_id(self) -> str:
        return job_of(self.name)

    def resource(self, path: str) -> dict[str, Any]:
        """`path` is that of the job."""
        delivery_id, target = id_of(self.name), target_of(self.name)
        return {
            "id": delivery_id,
            "object": "delivery",
            "job": self.job_id,
            "type": event_type(self.job_id, self.event),
            "target": target,
            "url": self.url if target == WEBHOOK else None,
            "status": self.status,
            "created_at": ids.rfc3339(self.created),
            "attempts": [orjson.Fragment(attempt) for attempt in self.attempts],
            "next_attempt_at": ids.time_of(self.next),
            "urls": {"redeliver": f"{path}/deliveries/{delivery_id}/redeliver"},
        }


def id_of(name: str) -> str:
    """The id of a delivery, which its receiver sees: of a webhook, the webhook-id."""
    return PREFIX + name


def names_of(job_id: str) -> tuple[str, ...]:
    """The names of the deliveries that a job can have."""
    return (job_id, *(f"{job_id}.{target}" for target in EVENT_TARGETS))


def job_of(name: str) -> str:
    return name.partition(".")[0]


def target_of(name: str) -> str:
    """WEBHOOK, or the target of an event."""
    return name.partition(".")[2] or WEBHOOK


def event_type(job_id: str, event: str) -> str:
    return f"{'batch' if job_id.startswith(ids.BATCH) else 'prediction'}.{event}"
