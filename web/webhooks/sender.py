"""Sends what is in the outbox: every web process sends what it claims, many at a time."""

import logging
import time
from collections import Counter
from collections.abc import Callable, Mapping
from typing import TypeAlias

import gevent
import orjson

from jobs.ids import rfc3339, trace_fields
from jobs.metrics import WEBHOOK_ATTEMPTS, WEBHOOK_SECONDS, Metrics
from jobs.tracing import Attributes, Tracing
from jobs.webhooks.delivery import ClaimedDelivery
from jobs.webhooks.outbox import WebhookOutbox
from web.webhooks.posting import Answer
from web.webhooks.schedule import next_step

AT_ONCE = 128
"""How many deliveries one process sends at a time."""
IDLE_SECONDS = 0.5
LONGEST_ATTEMPT_SECONDS = 30
"""How long an attempt may take, however slowly the receiver answers; less than the lease."""

log = logging.getLogger(__name__)

Attempt: TypeAlias = Callable[[ClaimedDelivery], Answer]
"""Raises nothing for what a receiver does."""


class WebhookSender:
    """`attempts` has one for each target; a delivery to another is tried again, until its target is back."""

    def __init__(
        self,
        outbox: WebhookOutbox,
        attempts: Mapping[str, Attempt],
        metrics: Metrics,
        tracing: Tracing | None,
    ) -> None:
        self._outbox = outbox
        self._attempts = attempts
        self._metrics = metrics
        self._tracing = tracing
        self._sending: Counter[str] = Counter()
        """How many are under way, for each owner and to each lane."""
        self._under_way = 0
        self._stopped = False

    def stop(self) -> None:
        """Claims nothing more. What is under way goes on."""
        self._stopped = True

    def run(self) -> None:
        """Raises StoreUnavailable; what is under way goes on, and it may be run again."""
        while not self._stopped:
            gevent.sleep(0 if self._send_next() else IDLE_SECONDS)

    def _send_next(self) -> bool:
        """Starts to send what can be claimed now. Returns whether anything was. Raises StoreUnavailable."""
        room = AT_ONCE - self._under_way
        claimed = self._outbox.claim(room, +self._sending) if room else []
        for each in claimed:
            self._change_under_way(each, 1)
            gevent.spawn(self._send, each)
        return bool(claimed)

    def _send(self, claimed: ClaimedDelivery) -> None:
        try:
            self.send(claimed)
        except Exception as error:  # it is sent again when its lease ends
            log.warning("webhook_not_sent", extra={"job_id": claimed.job_id, "error": type(error).__name__})
        finally:
            self._change_under_way(claimed, -1)

    def send(self, claimed: ClaimedDelivery) -> None:
        """Makes one attempt and records it. If it is not recorded, it is made again."""
        started = time.time()
        answer = self._traced_attempt(claimed)
        seconds = round(time.time() - started, 3)
        outcome, next_ms, hold_ms = next_step(answer, claimed.tries)
        attempt = {
            "at": rfc3339(int(started * 1000)),
            "status": answer.status,
            "error": answer.error,
            "seconds": seconds,
        }
        recorded = self._outbox.record(claimed, outcome, orjson.dumps(attempt), next_ms, hold_ms)
        if not recorded:
            return
        result = str(answer.status or answer.error)
        self._metrics.count(WEBHOOK_ATTEMPTS, result)
        self._metrics.observe(WEBHOOK_SECONDS, [seconds])
        log.info(
            "webhook_attempted",
            extra={
                "job_id": claimed.job_id,
                "owner": claimed.owner,
                "target": claimed.target,
                "attempt": claimed.tries,
                "result": result,
                "outcome": outcome,
                "seconds": seconds,
                "next_seconds": next_ms / 1000,
                **trace_fields(claimed.traceparent),
            },
        )

    def _traced_attempt(self, claimed: ClaimedDelivery) -> Answer:
        if not self._tracing or not claimed.traceparent:
            return self._attempt(claimed)
        span = self._tracing.start("webhook", "CLIENT", claimed.traceparent)
        answer = self._attempt(claimed._replace(traceparent=span.traceparent))
        attributes: Attributes = {
            "paygrade.job_id": claimed.job_id,
            "paygrade.attempt": claimed.tries,
            "http.response.status_code": answer.status,
            "error.type": answer.error,
        }
        span.end(attributes, failed=not answer.status or answer.status >= 300)
        return answer

    def _attempt(self, claimed: ClaimedDelivery) -> Answer:
        attempt = self._attempts.get(claimed.target)
        if attempt is None:
            return Answer(error="no_target")
        answer = None
        with gevent.Timeout(LONGEST_ATTEMPT_SECONDS, False):
            answer = attempt(claimed)
        return answer or Answer(error="timeout")

    def _change_under_way(self, claimed: ClaimedDelivery, by: int) -> None:
        self._under_way += by
        for name in (claimed.owner, claimed.lane):
            self._sending[name] += by
            if not self._sending[name]:
                del self._sending[name]
