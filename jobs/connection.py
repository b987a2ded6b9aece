"""Connections to Redis, and its errors in our words."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from redis import Redis, exceptions
from redis.backoff import NoBackoff
from redis.commands.core import Script
from redis.retry import Retry

from jobs.errors import QueueFull, StoreUnavailable
from jobs.queues.linking import linked
from jobs.settings import Settings

_UNABLE = ("MISCONF", "BUSY ", "LOADING", "NOREPLICAS", "MASTERDOWN", "CLUSTERDOWN")
# A host that is gone says nothing: its connections are lost after half a minute. Some systems lack an option.
_KEEPALIVE = {"TCP_KEEPIDLE": 10, "TCP_KEEPINTVL": 5, "TCP_KEEPCNT": 3}
WORKER_ANSWER_SECONDS = 5
"""How long a child of a worker waits for an answer of Redis."""
_SCRIPTS = Path(__file__).parent / "scripts"


def connect(settings: Settings, answer_seconds: float | None = 2) -> Redis:
    """No retries: who waits at the door is told within seconds that Redis is away."""
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


def connect_alone(settings: Settings, answer_seconds: float) -> Redis:
    """For one thread only: it keeps its connection, which saves a quarter of each call's time.

    Raises StoreUnavailable.
    """
    with talking():
        alone: Redis = connect(settings, answer_seconds).client()  # type: ignore[no-untyped-call]
    return alone


def script(redis: Redis, name: str) -> Script:
    """A script of scripts/, behind what it needs of that which it shares with others.

    All but those that accept jobs may run when Redis is full: what is in must be able to come out.
    """
    place = _SCRIPTS / f"{name}.lua"
    of_its_kind = _SCRIPTS / "job.lua" if place.parent == _SCRIPTS else place.with_name("batch.lua")
    shared = (_SCRIPTS / "either.lua").read_text() + of_its_kind.read_text()
    flags = "" if place.stem == "add" else "#!lua flags=allow-oom\n"
    return redis.register_script(flags + linked(shared, place.read_text()))


@contextmanager
def talking() -> Iterator[None]:
    """Redis' errors as StoreUnavailable or QueueFull."""
    try:
        yield
    except exceptions.OutOfMemoryError:
        raise QueueFull("Redis is out of memory; try again later") from None
    except (exceptions.ConnectionError, exceptions.TimeoutError, exceptions.ReadOnlyError, OSError) as error:
        raise StoreUnavailable(f"Redis does not answer ({type(error).__name__}); try again") from error
    except exceptions.ResponseError as error:
        if str(error).startswith(_UNABLE):
            raise StoreUnavailable(f"Redis cannot work now ({str(error).split()[0]}); try again") from error
        raise
