"""Builds the webhooks of one web process."""

from collections.abc import Callable
from typing import NamedTuple

from redis import Redis

from jobs.metrics import Metrics
from jobs.queues.capacity import Capacity
from jobs.settings import Settings
from jobs.webhooks.outbox import WebhookOutbox
from web.webhooks.payload import Payloads, ReadJobs
from web.webhooks.receivers import Receivers
from web.webhooks.requests import WebhookRequests
from web.webhooks.secrets import WebhookSecrets
from web.webhooks.sender import Post, WebhookSender


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
) -> Webhooks:
    receivers, secrets = Receivers(settings.webhook_hosts), WebhookSecrets(settings)
    outbox = WebhookOutbox(redis)
    sender = WebhookSender(outbox, Payloads(read, capacity), receivers, secrets, metrics, post)
    return Webhooks(outbox, WebhookRequests(receivers, secrets), sender)
