"""Connections to Redis, and its errors as exceptions of jobs/errors.py."""

import re
import socket
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

from redis import BlockingConnectionPool, ConnectionPool, Redis, exceptions
from redis.backoff import NoBackoff
from redis.retry import Retry

from jobs.errors import QueueFull, StoreRefuses, StoreUnavailable, TooManyCalls
from jobs.settings import Settings

_CANNOT_WORK = re.compile(r"(MISCONF|BUSY|LOADING|NOREPLICAS|MASTERDOWN|CLUSTERDOWN|UNBLOCKED)\b")
_IN_PIPELINE = re.compile(r"Command # \d+ \(.*\) of pipeline caused error: ", re.DOTALL)
"""What redis-py writes before an error of a pipeline."""
# A host that is gone sends nothing: its connections count as lost after half a minute.
# Some operating systems lack one of these options.
_KEEPALIVE = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}
MOST_CALLS = 100
"""Calls of one client that may be under way at once; each has a connection."""
FREE_CONNECTION_SECONDS = 0.4
"""How long a further call waits for one of them to end."""
_POOL_IS_EMPTY = "No connection available."
"""What redis-py says then."""
WORKER_ANSWER_SECONDS = 5
"""How long a consumer waits for Redis to answer."""
REPEATED_WITHIN_SECONDS = 0.4
"""How soon a call must have failed to be repeated: both tries together take less than 3 seconds."""

Result = TypeVar("Result")


class _OneConnection(ConnectionPool):
    """The single connection of a client that makes one call after the other.

    A pool asks before each call whether its connection is open, which takes longer than to send the call.
    """

    _connection: Any = None

    def get_connection(self, command_name: str | None = None, *keys: Any, **options: Any) -> Any:
        """Returns it open or closed: whatever sends a command opens it."""
        if self._connection is None:
            self._connection = self.make_connection()
        return self._connection

    def release(self, connection: Any) -> None:
        """Does nothing: there is nobody else to give it to."""


def connect(settings: Settings, answer_seconds: float | None = 2) -> Redis:
    """Makes a client that does not retry, so that a call fails within seconds if Redis is unavailable.

    Up to MOST_CALLS calls may be under way at once; further calls wait a moment, then raise TooManyCalls.
    """
    pool = BlockingConnectionPool.from_url(
        settings.redis_url.get_secret_value(),
        max_connections=MOST_CALLS,
        timeout=FREE_CONNECTION_SECONDS,
        **_options(answer_seconds),
    )
    return Redis.from_pool(pool)


class _RepeatingOnce(Redis):
    """Makes a call again, on another connection, if it found its only connection closed."""

    def execute_command(self, *command: Any, **options: Any) -> Any:
        call = super().execute_command
        was_open = self.connection_pool.get_connection().is_connected
        return repeat_once(lambda: call(*command, **options), was_open)  # type: ignore[no-untyped-call]


def repeat_once(
    call: Callable[[], Result], was_open: bool, clock: Callable[[], float] = time.monotonic
) -> Result:
    """Makes a call; once more, if its connection `was_open` before and was soon found closed."""
    began = clock()
    try:
        return call()
    except exceptions.ConnectionError:
        if not was_open or clock() - began > REPEATED_WITHIN_SECONDS:
            raise
    return call()


def connect_one(settings: Settings, answer_seconds: float = 2, repeats_once: bool = False) -> Redis:
    """Makes a client for one call at a time, which takes a quarter less CPU than one of `connect`.

    It finds out by a call that its connection was closed meanwhile. With `repeats_once` it opens another
    then, and makes the call again: for calls that change nothing when they are repeated.
    """
    pool = _OneConnection.from_url(settings.redis_url.get_secret_value(), **_options(answer_seconds))
    return (_RepeatingOnce if repeats_once else Redis).from_pool(pool)


def _options(answer_seconds: float | None) -> dict[str, Any]:
    return {
        "socket_connect_timeout": 0.5,
        "socket_timeout": answer_seconds,
        "retry": Retry(NoBackoff(), 0),
        "protocol": 2,
        "socket_keepalive": True,
        "socket_keepalive_options": {
            getattr(socket, name): value for name, value in _KEEPALIVE.items() if hasattr(socket, name)
        },
    }


@contextmanager
def store_errors() -> Iterator[None]:
    """Raises StoreUnavailable or QueueFull in place of an error of Redis that means the same."""
    try:
        yield
    except (exceptions.RedisError, OSError) as error:
        raise store_error(error) from error


def store_error(error: Exception) -> Exception:
    """Returns StoreUnavailable or QueueFull for an error that means the same; any other error unchanged."""
    match error:
        case exceptions.OutOfMemoryError():
            return QueueFull("Redis is out of memory; try again later")
        case exceptions.ConnectionError() if str(error) == _POOL_IS_EMPTY:
            return TooManyCalls()
        case (
            exceptions.ConnectionError() | exceptions.TimeoutError() | exceptions.ReadOnlyError() | OSError()
        ):
            return StoreUnavailable(f"Redis does not answer ({type(error).__name__}); try again")
        case exceptions.ResponseError() if code := _CANNOT_WORK.match(_IN_PIPELINE.sub("", str(error))):
            return StoreRefuses(f"Redis cannot work now ({code[0]}); try again")
    return error
