"""Calls of scripts in Redis, whichever state it is in."""

import time
from collections import namedtuple
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from functools import cache
from typing import Any, ParamSpec, TypeVar

from redis import Redis
from redis.exceptions import NoScriptError, RedisError, ResponseError

from jobs.errors import StoreUnavailable
from jobs.queues.connection import store_error
from jobs.queues.names import GROUP, QUEUES, Kind
from jobs.queues.scripts import load

PAUSES_SECONDS = (0.5, 1, 2)
"""Between the tries of `patiently`. With the wait for each answer, they bridge twenty seconds."""

Arguments = ParamSpec("Arguments")
Result = TypeVar("Result")


class Script:
    """A script in Redis. Every call raises StoreUnavailable or QueueFull if Redis cannot answer."""

    def __init__(self, redis: Redis, name: str, kind: Kind | None = None) -> None:
        source = load(name, kind)
        self.item = source.item
        self._redis = redis
        self._arguments = source.arguments
        script = redis.register_script(source.text)
        self._sha, self._text = script.sha, str(script.script)
        self.reply = _reply(source.returns)
        self._returns_one = len(source.returns) == 1
        self._returns_list = source.returns_list

    def __call__(self, items: Iterable[Sequence[Any]] = (), **arguments: Any) -> Any:
        """Each item has the members that the script names, in their order."""
        values = self._values(items, arguments)
        try:
            return self.read(self._run(values))
        except (RedisError, OSError) as error:
            raise store_error(error) from error

    def add_to(self, pipeline: Any, items: Iterable[Sequence[Any]] = (), **arguments: Any) -> None:
        """Adds the call to a pipeline; `read` reads its reply."""
        pipeline.evalsha(self._sha, 0, *self._values(items, arguments))

    def read(self, reply: Any) -> Any:
        """The results under their names; None for no reply."""
        if reply is None or self._returns_one:
            return reply
        if self._returns_list:
            return list(map(self.reply._make, reply))
        return self.reply._make(reply)

    def _values(self, items: Iterable[Sequence[Any]], given: dict[str, Any]) -> list[Any]:
        if len(given) != len(self._arguments):
            raise TypeError(f"the script takes {self._arguments}, not {tuple(given)}")
        values = [given[name] for name in self._arguments]
        for item in items:
            values.extend(item)
        return values

    def _run(self, values: list[Any]) -> Any:
        try:
            return self._evaluate(values)
        except ResponseError as error:
            if "NOGROUP" not in str(error):
                raise
        create_groups(self._redis)
        return self._evaluate(values)

    def _evaluate(self, values: list[Any]) -> Any:
        """A Redis that has just been started gets the whole text; it may start between any two calls."""
        try:
            return self._redis.evalsha(self._sha, 0, *values)
        except NoScriptError:
            return self._redis.eval(self._text, 0, *values)


@cache
def _reply(names: tuple[str, ...]) -> Any:
    return namedtuple("Reply", names)


def patiently(
    call: Callable[Arguments, Result], *arguments: Arguments.args, **named: Arguments.kwargs
) -> Result:
    """Repeats a call that changes nothing when it is repeated. Raises StoreUnavailable after the last try."""
    for pause in PAUSES_SECONDS:
        try:
            return call(*arguments, **named)
        except StoreUnavailable:
            time.sleep(pause)
    return call(*arguments, **named)


def create_groups(redis: Redis) -> None:
    """Creates the streams and their consumer groups, which a Redis without data lacks."""
    for queue in QUEUES:
        for stream in queue.streams:
            with suppress(ResponseError):  # it exists
                redis.xgroup_create(stream, GROUP, id="0", mkstream=True)


def decode_all(values: Sequence[bytes]) -> list[str]:
    return [value.decode() for value in values]
