"""The store is killed, frozen, or nearly full: callers are refused, and nothing accepted is lost."""

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from tests.integration.callers import Caller, Crowd
from tests.integration.conftest import StartStack
from tests.integration.service import wait_until
from tests.integration.stack import Stack

Call = Callable[[Stack], Caller]

BACK_WITHIN_SECONDS = 30


def assert_refused(caller: Caller) -> None:
    """Posts while the store is unavailable. tests/unit/jobs/test_connection.py holds the time limit."""
    answer = caller.post({"years": 2.5})
    assert answer.status_code == 503, answer.text
    assert answer.headers["Content-Type"] == "application/problem+json"
    assert int(answer.headers["Retry-After"]) > 0


def scored(caller: Caller) -> bool:
    answer = caller.post({"years": 2.5}, wait=5)
    return answer.status_code == 200 and answer.json()["output"] == {"prediction": 260.00012}


def test_posts_to_a_killed_store_are_refused_until_it_is_back(start_stack: StartStack, call: Call) -> None:
    stack = start_stack()
    stack.start_web()
    stack.ready(stack.start_worker())
    caller = call(stack)
    done = caller.ended(caller.accepted({"years": 2.5}))
    for _ in range(2):
        with Crowd(stack.address, 4, lambda number: {"years": number % 13}) as crowd:
            crowd.post_more(100)
            stack.store.kill()
            assert_refused(caller)
            assert stack.status("/healthz") == 200
            assert stack.status("/readyz") == 503
            stack.start_store()
            wait_until("posting works again", lambda: scored(caller), BACK_WITHIN_SECONDS)
        assert set(crowd.answers) <= {202, 503}
        assert not crowd.cut
        for job_id in crowd.accepted:
            assert caller.ended(job_id, BACK_WITHIN_SECONDS)["status"] == "succeeded"
    assert caller.show(done["id"]) == done


def test_all_callers_are_refused_while_the_store_is_frozen_and_served_afterwards(
    start_stack: StartStack, call: Call
) -> None:
    stack = start_stack()
    stack.start_web()
    stack.ready(stack.start_worker())
    assert scored(call(stack))

    def post_later(number: int) -> None:
        time.sleep(number * 0.05)  # most come while others wait already
        assert_refused(callers[number])

    callers = [call(stack) for _ in range(40)]
    with ThreadPoolExecutor(len(callers)) as pool, stack.frozen_store():
        list(pool.map(post_later, range(len(callers))))
        assert stack.status("/healthz") == 200
        assert stack.status("/readyz") == 503
    wait_until("posting works again", lambda: scored(callers[0]), BACK_WITHIN_SECONDS)


def test_readers_are_refused_while_the_store_is_frozen(start_stack: StartStack, call: Call) -> None:
    stack = start_stack()
    stack.start_web()
    job_id = call(stack).accepted({"years": 2.5})
    callers = [call(stack) for _ in range(20)]

    def read_later(number: int) -> None:
        time.sleep(number * 0.1)
        assert callers[number].get(f"/v1/predictions/{job_id}").status_code == 503

    with ThreadPoolExecutor(len(callers)) as pool, stack.frozen_store():
        list(pool.map(read_later, range(len(callers))))
