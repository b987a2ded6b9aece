"""Builds the webhooks and events of one web process."""

from collections.abc import Callable, Mapping
from typing import NamedTuple

from redis import Redis

from jobs.metrics import Metrics
from jobs.queues.capacity import Capacity
from jobs.settings import Settings
from jobs.tracing import Tracing
from jobs.webhooks.delivery import WEBHOOK
from jobs.webhooks.outbox import WebhookOutbox
from web.events.publishing import EventAttempts, PublishEvent
from web.webhooks.attempts import Post, WebhookAttempts
from web.webhooks.payload import Payloads, ReadJobs
from web.webhooks.receivers import Receivers
from web.webhooks.requests import WebhookRequests
from web.webhooks.secrets import WebhookSecrets
from web.webhooks.sender import Attempt, WebhookSender


class Webhooks(NamedTuple):
    outbox: WebhookOutbox
    requests: WebhookRequests
    sender: WebhookSender


def build_webhooks(
    settings: Settings,
    redis: Redis,
    read: dict[str, ReadJobs],
    capacity: Callable[[], Capacity],
    metrics: Metrics,
    post: Post,
    publish: Mapping[str, PublishEvent],
    tracing: Tracing | None,
) -> Webhooks:
    """`publish` has the targets of events."""
    receivers, secrets = Receivers(settings.webhook_hosts), WebhookSecrets(settings)
    outbox, payloads = WebhookOutbox(redis), Payloads(read, capacity)
    attempts: dict[str, Attempt] = {WEBHOOK: WebhookAttempts(payloads, receivers, secrets, post)}
    for target, publish_event in publish.items():
        attempts[target] = EventAttempts(payloads, publish_event)
    sender = WebhookSender(outbox, attempts, metrics, tracing)
    return Webhooks(outbox, WebhookRequests(receivers, secrets), sender)
