"""A Redis in memory that can be made to fail."""

from collections.abc import Iterator
from typing import Any

import gevent
from fakeredis import FakeServer

from tests.unit.in_memory import MemoryRedis


class FaultyRedis(MemoryRedis):
    """May fail, be full, or lose published messages."""

    def __init__(self) -> None:
        super().__init__(server=FakeServer(), protocol=2)
        self.failure: Exception | None = None
        self.memory = {"used_memory": 0, "maxmemory": 0}
        self.loses_messages = False
        self.closed = False

    def execute_command(self, *args: Any, **options: Any) -> Any:
        self.answer_or_fail()
        return super().execute_command(*args, **options)

    def info(self, section: str | None = None, *args: Any, **options: Any) -> Any:
        self.answer_or_fail()
        return self.memory

    def pubsub(self, **options: Any) -> Any:
        return Subscription(self, super().pubsub(**options))  # type: ignore[no-untyped-call]

    def answer_or_fail(self) -> None:
        if self.closed:
            raise gevent.GreenletExit
        if self.failure:
            raise self.failure


class Subscription:
    """Polls for messages, since waiting for one would block the whole process."""

    def __init__(self, redis: FaultyRedis, pubsub: Any) -> None:
        self._redis = redis
        self._pubsub = pubsub

    def __enter__(self) -> "Subscription":
        return self

    def __exit__(self, *_: object) -> None:
        pass

    def subscribe(self, channel: str) -> None:
        self._redis.answer_or_fail()
        self._pubsub.subscribe(channel)

    def listen(self) -> Iterator[Any]:
        while True:
            self._redis.answer_or_fail()
            message = self._pubsub.get_message()
            if message and not self._redis.loses_messages:
                yield message
            gevent.sleep(0.001)
