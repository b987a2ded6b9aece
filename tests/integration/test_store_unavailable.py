"""The store is killed, frozen, or nearly full: who posts is told so, and nothing accepted is lost."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.integration.callers import Caller, Crowd
from tests.integration.conftest import StartStack
from tests.integration.service import wait_until
from tests.integration.stack import Stack

Call = Callable[[Stack], Caller]

TOLD_WITHIN_SECONDS = 3
BACK_WITHIN_SECONDS = 30


def told(caller: Caller) -> float:
    """Posts to a store that is away; returns after how many seconds the caller was told."""
    began = time.monotonic()
    answer = caller.post({"years": 2.5})
    seconds = time.monotonic() - began
    assert answer.status_code == 503, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert int(answer.headers["Retry-After"]) > 0
    return seconds


def scored(caller: Caller) -> bool:
    answer = caller.post({"years": 2.5}, wait=5)
    return answer.status_code == 200 and answer.json()["output"] == {"prediction": 260.00012}


def test_a_killed_store_is_told_of_within_3_s_and_comes_back(start_stack: StartStack, call: Call) -> None:
    stack = start_stack()
    stack.start_web()
    stack.ready(stack.start_worker())
    caller = call(stack)
    done = caller.ended(caller.accepted({"years": 2.5}))
    for _ in range(2):
        with Crowd(stack.address, 4, lambda number: {"years": number % 13}) as crowd:
            crowd.post_more(100)
            stack.store.kill()
            assert told(caller) < TOLD_WITHIN_SECONDS
            assert stack.status("/healthz") == 200
            assert stack.status("/readyz") == 503
            stack.start_store()
            wait_until("posting works again", lambda: scored(caller), BACK_WITHIN_SECONDS)
        assert set(crowd.answers) <= {202, 503}
        assert not crowd.cut
        for job_id in crowd.accepted:
            assert caller.ended(job_id, BACK_WITHIN_SECONDS)["status"] == "succeeded"
    assert caller.show(done["id"]) == done


def test_everybody_is_told_within_3_s_of_a_frozen_store_and_it_comes_back(
    start_stack: StartStack, call: Call
) -> None:
    stack = start_stack()
    stack.start_web()
    stack.ready(stack.start_worker())
    assert scored(call(stack))

    def post_later(number: int) -> float:
        time.sleep(number * 0.05)  # most come while others wait already
        return told(callers[number])

    callers = [call(stack) for _ in range(40)]
    with ThreadPoolExecutor(len(callers)) as pool, stack.frozen_store():
        seconds = list(pool.map(post_later, range(len(callers))))
        assert stack.status("/healthz") == 200
        assert stack.status("/readyz") == 503
    wait_until("posting works again", lambda: scored(callers[0]), BACK_WITHIN_SECONDS)
    assert max(seconds) < TOLD_WITHIN_SECONDS


def test_readers_are_told_within_3_s_that_the_store_is_frozen(start_stack: StartStack, call: Call) -> None:
    stack = start_stack()
    stack.start_web()
    job_id = call(stack).accepted({"years": 2.5})
    callers = [call(stack) for _ in range(20)]

    def read_later(number: int) -> float:
        time.sleep(number * 0.1)
        began = time.monotonic()
        answer = callers[number].get(f"/v1/predictions/{job_id}")
        assert answer.status_code == 503
        return time.monotonic() - began

    with ThreadPoolExecutor(len(callers)) as pool, stack.frozen_store():
        seconds = list(pool.map(read_later, range(len(callers))))
    assert max(seconds) < TOLD_WITHIN_SECONDS
