"""The outbox of webhooks and events: end_job of queues/job.lua fills it, web processes empty it."""

from collections.abc import Mapping
from typing import NamedTuple

from redis import Redis

from jobs.ids import checked_traceparent
from jobs.queues.script_calls import Script
from jobs.webhooks.delivery import ClaimedDelivery, Delivery, DeliveryStatus, names_of

LEASE_MS = 60_000
"""How long a process may take to send a delivery and to record the answer; then another sends it."""
LANE_AT_ONCE, OWNER_AT_ONCE = 4, 32
"""How many deliveries one process sends at a time to one receiver, and for one owner."""


class PendingWebhooks(NamedTuple):
    number: int
    oldest_seconds: float


class WebhookOutbox:
    """Every method raises StoreUnavailable if Redis does not answer in time.

    A lane is a receiver of an owner: `<owner>|<host>:<port>`, or `<owner>|<target>` for events.
    """

    def __init__(self, redis: Redis) -> None:
        self._claim = Script(redis, "webhooks/claim")
        self._record = Script(redis, "webhooks/record")
        self._read = Script(redis, "webhooks/read")
        self._redeliver = Script(redis, "webhooks/redeliver")
        self._pending = Script(redis, "webhooks/pending")

    def claim(self, most: int, sending: Mapping[str, int]) -> list[ClaimedDelivery]:
        """Claims up to `most`. `sending` has how many are under way, to each lane and for each owner."""
        claimed = self._claim(
            sending.items(),
            most=most,
            lease_ms=LEASE_MS,
            lane_at_once=LANE_AT_ONCE,
            owner_at_once=OWNER_AT_ONCE,
        )
        return [
            ClaimedDelivery(
                name=each.name.decode(errors="replace"),
                url=each.url.decode(errors="replace"),
                event=each.event.decode(errors="replace"),
                tries=each.tries,
                created=int(each.created),
                claimed_at=each.claimed_at,
                owner=each.owner.decode(errors="replace"),
                lane=each.lane.decode(errors="replace"),
                traceparent=checked_traceparent(each.traceparent.decode(errors="replace")),
            )
            for each in claimed
        ]

    def record(
        self,
        claimed: ClaimedDelivery,
        outcome: DeliveryStatus,
        attempt: bytes,
        next_ms: int = 0,
        hold_ms: int = 0,
    ) -> bool:
        """Records an attempt, which is JSON. If it is PENDING, it is sent again in `next_ms`.

        For `hold_ms` nothing is sent to its receiver. Returns False if it is not claimed any more.
        """
        return bool(
            self._record(
                name=claimed.name,
                claimed_at=claimed.claimed_at,
                outcome=outcome,
                attempt=attempt,
                next_ms=next_ms,
                hold_ms=hold_ms,
            )
        )

    def of_job(self, job_id: str) -> list[Delivery]:
        """The deliveries of a job; empty if it has no receiver, or if they are kept no longer."""
        return [delivery for name in names_of(job_id) if (delivery := self.read(name))]

    def read(self, name: str) -> Delivery | None:
        """None if there is no such delivery, or no longer."""
        read = self._read(name=name)
        if read.status is None:
            return None
        status = DeliveryStatus(read.status.decode())
        return Delivery(
            name=name,
            owner=read.lane.decode().partition("|")[0],
            url=read.url.decode(),
            event=read.event.decode(),
            status=status,
            created=int(read.created),
            attempts=read.log.split(b"\n") if read.log else (),
            next=int(float(read.next)) if read.next and status is DeliveryStatus.PENDING else None,
        )

    def redeliver(self, name: str) -> bool:
        """Sends it again at once, unless it is pending. Returns False if there is nothing to send."""
        return self._redeliver(name=name) is not None

    def pending(self) -> PendingWebhooks:
        number, oldest, now = self._pending()
        return PendingWebhooks(int(number), max(float(now) - float(oldest), 0) / 1000)
