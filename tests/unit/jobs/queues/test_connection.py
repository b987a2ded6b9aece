"""A Redis that does not answer is given up within 3 seconds, and nothing is sent to it again."""

from typing import Any

import pytest
from redis import exceptions

from jobs.errors import QueueFull, StoreRefuses, StoreUnavailable, TooManyCalls
from jobs.queues.connection import connect, store_error
from jobs.settings import Settings

GIVEN_UP_WITHIN_SECONDS = 3


def test_an_unavailable_redis_is_given_up_within_three_seconds() -> None:
    pool: Any = connect(Settings()).connection_pool
    options = pool.connection_kwargs
    longest = pool.timeout + options["socket_connect_timeout"] + options["socket_timeout"]
    assert longest < GIVEN_UP_WITHIN_SECONDS


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
