"""The store closes connections that nobody uses, as a restart or an operator does."""

from collections.abc import Callable

import pytest
from pydantic import SecretStr
from redis import exceptions

from jobs.queues.connection import connect_one
from jobs.settings import Settings
from tests.integration.callers import Caller
from tests.integration.conftest import StartStack
from tests.integration.stack import Stack


def close_connections(stack: Stack) -> None:
    stack.records.client_kill_filter(_type="normal", skipme=True)


def test_a_call_that_may_be_repeated_opens_another_connection(start_stack: StartStack) -> None:
    stack = start_stack()
    redis = connect_one(Settings(redis_url=SecretStr(stack.redis_url)), repeats_once=True)
    assert redis.ping()
    close_connections(stack)
    assert redis.ping()


def test_any_other_call_finds_out_that_its_connection_is_closed(start_stack: StartStack) -> None:
    stack = start_stack()
    redis = connect_one(Settings(redis_url=SecretStr(stack.redis_url)))
    assert redis.ping()
    close_connections(stack)
    with pytest.raises(exceptions.ConnectionError):
        redis.ping()
    assert redis.ping()


def test_a_post_is_accepted_though_its_connection_is_closed(
    start_stack: StartStack, call: Callable[[Stack], Caller]
) -> None:
    stack = start_stack()
    stack.start_web()
    caller = call(stack)
    first = caller.accepted({"years": 2.5})
    close_connections(stack)
    second = caller.accepted({"years": 2.5})
    listed = caller.get("/v1/predictions").json()["data"]
    assert [each["id"] for each in listed] == [second, first]
