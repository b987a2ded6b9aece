"""A Redis that does not answer is given up within 3 seconds.

Nothing is sent to it again, but what may be repeated, once, where that fits into the 3 seconds.
"""

from typing import Any

import pytest
from redis import Redis, exceptions

from jobs.errors import QueueFull, StoreRefuses, StoreUnavailable, TooManyCalls
from jobs.queues.connection import REPEATED_WITHIN_SECONDS, connect, connect_one, repeat_once, store_error
from jobs.settings import Settings
from tests.unit.conftest import Clock

GIVEN_UP_WITHIN_SECONDS = 3


def seconds_of_one_try(redis: Redis) -> float:
    """At most, of a Redis that does not answer."""
    options = redis.connection_pool.connection_kwargs
    longest: float = options["socket_connect_timeout"] + options["socket_timeout"]
    return longest


def test_an_unavailable_redis_is_given_up_within_three_seconds() -> None:
    redis = connect(Settings())
    pool: Any = redis.connection_pool
    assert pool.timeout + seconds_of_one_try(redis) < GIVEN_UP_WITHIN_SECONDS


def test_so_it_is_where_a_call_is_repeated() -> None:
    longest = REPEATED_WITHIN_SECONDS + seconds_of_one_try(connect_one(Settings(), repeats_once=True))
    assert longest < GIVEN_UP_WITHIN_SECONDS


class ClosingRedis:
    """Closes the connection after so many seconds, call after call."""

    def __init__(self, seconds: float) -> None:
        self.calls = 0
        self.clock = Clock()
        self._seconds = seconds

    def call(self) -> None:
        self.calls += 1
        self.clock.forward(self._seconds)
        raise exceptions.ConnectionError


@pytest.mark.parametrize(
    ("seconds", "was_open", "calls"),
    [(0.3, True, 2), (0.3, False, 1), (1.9, True, 1)],
    ids=["soon", "was closed before", "late"],
)
def test_a_call_is_repeated_only_if_its_connection_was_soon_found_closed(
    seconds: float, was_open: bool, calls: int
) -> None:
    redis = ClosingRedis(seconds)
    with pytest.raises(exceptions.ConnectionError):
        repeat_once(redis.call, was_open, redis.clock)
    assert redis.calls == calls


def test_a_call_that_was_not_answered_in_time_is_not_repeated() -> None:
    calls: list[None] = []

    def call() -> None:
        calls.append(None)
        raise exceptions.TimeoutError

    with pytest.raises(exceptions.TimeoutError):
        repeat_once(call, was_open=True)
    assert len(calls) == 1


def test_a_call_that_failed_is_not_repeated() -> None:
    attempts: list[None] = []

    def fail() -> None:
        attempts.append(None)
        raise ConnectionError

    retry = connect(Settings()).connection_pool.connection_kwargs["retry"]
    with pytest.raises(ConnectionError):
        retry.call_with_retry(fail, lambda error: None)
    assert len(attempts) == 1


def test_a_pool_that_is_full_says_so_and_does_not_blame_redis(monkeypatch: pytest.MonkeyPatch) -> None:
    redis = connect(Settings())
    pool: Any = redis.connection_pool
    monkeypatch.setattr(pool, "timeout", 0.01)
    while pool.pool.qsize():
        pool.pool.get_nowait()
    with pytest.raises(exceptions.ConnectionError) as full:
        redis.ping()
    assert isinstance(store_error(full.value), TooManyCalls)
    assert "under way" in str(store_error(full.value))


PIPELINE = "Command # 1 (HINCRBY metrics requests|/v1 (all)|POST 1) of pipeline caused error: "


@pytest.mark.parametrize("before", ["", PIPELINE], ids=["alone", "in a pipeline"])
@pytest.mark.parametrize(
    ("text", "error"),
    [
        ("MISCONF Errors writing to the AOF file: No space left on device", StoreRefuses),
        ("BUSY Redis is busy running a script", StoreRefuses),
        ("NOREPLICAS Not enough good replicas to write", StoreRefuses),
        ("UNBLOCKED client unblocked via CLIENT UNBLOCK", StoreRefuses),
        ("BUSYGROUP Consumer Group name already exists", exceptions.ResponseError),
        ("WRONGTYPE Operation against a key", exceptions.ResponseError),
    ],
)
def test_redis_says_that_it_cannot_work(before: str, text: str, error: type[Exception]) -> None:
    assert type(store_error(exceptions.ResponseError(before + text))) is error


def test_a_full_redis_and_a_lost_connection_are_told_apart() -> None:
    assert type(store_error(exceptions.OutOfMemoryError(f"{PIPELINE}OOM"))) is QueueFull
    assert type(store_error(exceptions.ReadOnlyError("READONLY"))) is StoreUnavailable
    assert type(store_error(exceptions.TimeoutError())) is StoreUnavailable
