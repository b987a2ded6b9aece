"""The record of a prediction takes the memory from which `up` computes what Redis carries."""

from concurrent.futures import ThreadPoolExecutor

import pytest

from ecs.capacity import RECORD_BYTES
from tests.integration.callers import Caller
from tests.integration.conftest import StartStack
from tests.integration.service import wait_until
from tests.integration.stack import Stack
from web.keys import digest

CALLERS, JOBS = 8, 500
"""Of each caller."""


def post(stack: Stack) -> list[str]:
    caller = Caller(stack.address, "key")
    ids = [caller.accepted({"years": 1 + number % 110 / 10}) for number in range(JOBS)]
    caller.close()
    return ids


def post_and_score(stack: Stack) -> None:
    with ThreadPoolExecutor(CALLERS) as callers:
        ids = [job for posted in callers.map(post, [stack] * CALLERS) for job in posted]
    wait_until("all are scored", lambda: all(each and each.finished for each in stack.read(ids)))


def test_a_record_takes_the_memory_that_up_expects(start_stack: StartStack) -> None:
    stack = start_stack({"PAYGRADE_API_KEYS": f"first:{digest('key')}"})
    stack.start_web()
    stack.ready(stack.start_worker())
    post_and_score(stack)  # what grows once has grown
    before = stack.redis.info("memory")["used_memory"]
    post_and_score(stack)
    taken = (stack.redis.info("memory")["used_memory"] - before) / (CALLERS * JOBS)
    assert taken == pytest.approx(RECORD_BYTES, rel=0.15)
