"""Builds the dead letters from their parts, for web and for the operators' commands."""

from collections.abc import Callable

from redis import Redis

from jobs import ids
from jobs.batches.retry import BatchRetries
from jobs.dead.letters import DeadLetters, JobActions
from jobs.predictions.store import PredictionStore
from jobs.queues.queue import SendWakeUp, try_wake_up
from jobs.webhooks.outbox import WebhookOutbox


def dead_letters(
    redis: Redis,
    predictions: PredictionStore,
    batches: BatchRetries,
    wake_predictions: SendWakeUp,
    wake_batches: SendWakeUp,
) -> DeadLetters:
    return DeadLetters(
        redis,
        WebhookOutbox(redis),
        {
            ids.PREDICTION: JobActions(predictions.read, _waking(predictions.retry, wake_predictions)),
            ids.BATCH: JobActions(batches.store.read, _waking(batches.retry, wake_batches)),
        },
    )


def _waking(retry: Callable[[str], tuple[str, list[str]]], send: SendWakeUp) -> Callable[[str], str]:
    def retry_and_wake(job_id: str) -> str:
        new_id, wake_ups = retry(job_id)
        for wake_up in wake_ups:
            try_wake_up(send, wake_up)
        return new_id

    return retry_and_wake
