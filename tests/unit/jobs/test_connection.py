"""A Redis that does not answer is given up within 3 seconds, and nothing is sent to it again."""

import pytest

from jobs.connection import connect
from jobs.settings import Settings

GIVEN_UP_WITHIN_SECONDS = 3


def test_an_unavailable_redis_is_given_up_within_three_seconds() -> None:
    options = connect(Settings()).connection_pool.connection_kwargs
    assert options["socket_connect_timeout"] + options["socket_timeout"] < GIVEN_UP_WITHIN_SECONDS


def test_a_call_that_failed_is_not_repeated() -> None:
    attempts: list[None] = []

    def fail() -> None:
        attempts.append(None)
        raise ConnectionError

    retry = connect(Settings()).connection_pool.connection_kwargs["retry"]
    with pytest.raises(ConnectionError):
        retry.call_with_retry(fail, lambda error: None)
    assert len(attempts) == 1
