"""Which messages have become batches. A copy may come when the batch itself has long expired."""

from redis import Redis

from jobs.queues.connection import store_errors

KEPT_SECONDS = 5 * 86_400
"""Longer than the queue keeps a message, and EventBridge a second attempt."""


class EventMarks:
    """Every method raises StoreUnavailable if Redis does not answer in time."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def job_of(self, key: str) -> str | None:
        """The id of the batch that a message with this key has become."""
        with store_errors():
            found: bytes | None = self._redis.get(_name(key))  # type: ignore[assignment]  # redis-py serves async, too
        return found.decode() if found else None

    def add(self, key: str, job_id: str) -> None:
        with store_errors():
            self._redis.set(_name(key), job_id, ex=KEPT_SECONDS)


def _name(key: str) -> str:
    return f"event:{key[:32]}"
