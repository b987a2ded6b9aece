"""Events out: what tells of the end of a job, on a bus of EventBridge or a topic of SNS."""

from collections.abc import Callable
from typing import NamedTuple, TypeAlias

from jobs.webhooks.delivery import ClaimedDelivery, id_of
from web.webhooks.payload import Payloads
from web.webhooks.posting import Answer


class OutgoingEvent(NamedTuple):
    """`type` is as in batch.succeeded; `detail` is JSON."""

    type: str
    owner: str
    detail: str


PublishEvent: TypeAlias = Callable[[OutgoingEvent], Answer]
"""Raises nothing for what AWS does."""


class EventAttempts:
    """An attempt to tell one target."""

    def __init__(self, payloads: Payloads, publish: PublishEvent) -> None:
        self._payloads = payloads
        self._publish = publish

    def __call__(self, claimed: ClaimedDelivery) -> Answer:
        """The event is the payload of a webhook, with its id and the owner of the job."""
        first = {"id": id_of(claimed.name), "owner": claimed.owner}
        detail = self._payloads.of(claimed, first).decode()
        return self._publish(OutgoingEvent(claimed.type, claimed.owner, detail))
