"""Connections to Redis, and its errors as exceptions of jobs/errors.py."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

from redis import Redis, exceptions
from redis.backoff import NoBackoff
from redis.retry import Retry

from jobs.errors import QueueFull, StoreUnavailable
from jobs.settings import Settings

_CANNOT_WORK = ("MISCONF", "BUSY ", "LOADING", "NOREPLICAS", "MASTERDOWN", "CLUSTERDOWN")
# A host that is gone sends nothing: its connections count as lost after half a minute.
# Some operating systems lack one of these options.
_KEEPALIVE = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}
WORKER_ANSWER_SECONDS = 5
"""How long a consumer waits for Redis to answer."""


def connect(settings: Settings, answer_seconds: float | None = 2) -> Redis:
    """Makes a client that does not retry, so that a call fails within seconds if Redis is unavailable."""
    return Redis.from_url(
        settings.redis_url.get_secret_value(),
        socket_connect_timeout=0.5,
        socket_timeout=answer_seconds,
        retry=Retry(NoBackoff(), 0),
        protocol=2,
        socket_keepalive=True,
        socket_keepalive_options={
            getattr(socket, name): value for name, value in _KEEPALIVE.items() if hasattr(socket, name)
        },
    )


def connect_one(settings: Settings, answer_seconds: float) -> Redis:
    """Opens a single connection, for one thread only: without a pool each call takes a quarter less time.

    Raises StoreUnavailable.
    """
    with store_errors():
        client: Redis = connect(settings, answer_seconds).client()  # type: ignore[no-untyped-call]
    return client


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
        case (
            exceptions.ConnectionError() | exceptions.TimeoutError() | exceptions.ReadOnlyError() | OSError()
        ):
            return StoreUnavailable(f"Redis does not answer ({type(error).__name__}); try again")
        case exceptions.ResponseError() if str(error).startswith(_CANNOT_WORK):
            return StoreUnavailable(f"Redis cannot work now ({str(error).split()[0]}); try again")
    return error
