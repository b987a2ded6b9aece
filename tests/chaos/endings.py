"""Counts how often each web process is told that a job has ended, past web and worker."""

import threading
from collections import Counter
from typing import Any

from redis import Redis, RedisError

from jobs.queues.ended import JobEnded


class EndingsListener(threading.Thread):
    """What is said while the store is away it does not hear."""

    def __init__(self, redis_url: str) -> None:
        super().__init__(daemon=True)
        self.told: Counter[tuple[bytes, str]] = Counter()
        """By channel and job."""
        self._redis = Redis.from_url(redis_url)
        self._stopped = threading.Event()

    def __enter__(self) -> "EndingsListener":
        self.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopped.set()
        self.join()
        self._redis.close()

    def run(self) -> None:
        while not self._stopped.wait(0.1):
            try:
                self._listen()
            except (RedisError, OSError):
                continue

    def _listen(self) -> None:
        subscribing: Any = self._redis.pubsub
        with subscribing(ignore_subscribe_messages=True) as subscription:
            subscription.psubscribe("ended:*")
            while not self._stopped.is_set():
                message = subscription.get_message(timeout=0.2)
                if message:
                    endings = JobEnded.read_all(message["data"])
                    self.told.update((message["channel"], ending.job_id) for ending in endings)
