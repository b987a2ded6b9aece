"""The delivery of a webhook: what Redis keeps of it, and what callers see."""

from collections.abc import Sequence
from enum import StrEnum
from typing import Any, NamedTuple

import orjson

from jobs import ids

PREFIX = "msg_"
"""Begins the ids of deliveries; then comes the id of the job."""


class DeliveryStatus(StrEnum):
    PENDING = "pending"
    """It is being sent, or will be sent again."""
    DELIVERED = "delivered"
    """The receiver answered with a status from 200 to 299."""
    GIVEN_UP = "given_up"
    """The receiver answered 410, or no attempt of a day succeeded."""


class ClaimedDelivery(NamedTuple):
    """A delivery that this process is to send; `event` is the final status of the job."""

    job_id: str
    url: str
    event: str
    tries: int
    created: int
    claimed_at: bytes
    owner: str
    lane: str
    traceparent: str = ""

    @property
    def type(self) -> str:
        return event_type(self.job_id, self.event)


class Delivery(NamedTuple):
    """Times are milliseconds since 1970, UTC; `attempts` are JSON."""

    job_id: str
    owner: str
    url: str
    event: str
    status: DeliveryStatus
    created: int
    attempts: Sequence[bytes]
    next: int | None

    def resource(self, path: str) -> dict[str, Any]:
        """`path` is that of the job."""
        delivery_id = id_of(self.job_id)
        return {
            "id": delivery_id,
            "object": "delivery",
            "job": self.job_id,
            "type": event_type(self.job_id, self.event),
            "url": self.url,
            "status": self.status,
            "created_at": ids.rfc3339(self.created),
            "attempts": [orjson.Fragment(attempt) for attempt in self.attempts],
            "next_attempt_at": ids.time_of(self.next),
            "urls": {"redeliver": f"{path}/deliveries/{delivery_id}/redeliver"},
        }


def id_of(job_id: str) -> str:
    """The id of the delivery of a job: the webhook-id that its receiver sees."""
    return PREFIX + job_id


def event_type(job_id: str, event: str) -> str:
    return f"{'batch' if job_id.startswith(ids.BATCH) else 'prediction'}.{event}"
