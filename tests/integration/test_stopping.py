"""Workers and web are stopped under load: nothing is lost, and everybody is answered."""

import os
import signal
import time
from collections.abc import Callable

import pytest

from tests.integration.callers import Caller, Crowd
from tests.integration.conftest import StartStack
from tests.integration.service import wait_until
from tests.integration.stack import Stack

Call = Callable[[Stack], Caller]

WEB_GRACE_SECONDS = 10
WORKER_GRACE_SECONDS = 10
STOP_TIMEOUT_SECONDS = 30
"""What a supervisor gives a worker at most."""
LONGER_THAN_A_HUNG_PROCESS_MAY, SOME_LOOKS = 33, 3
"""Seconds: of a pause, and in which each process of web is looked at."""
SIGNALS = (signal.SIGTERM, signal.SIGINT)


def row(number: int) -> dict[str, float]:
    return {"years": number % 13}


@pytest.mark.parametrize("signum", SIGNALS, ids=lambda signum: signum.name)
def test_a_worker_stopped_under_load_loses_nothing(
    start_stack: StartStack, call: Call, signum: signal.Signals
) -> None:
    stack = start_stack()
    stack.start_web()
    worker = stack.ready(stack.start_worker())
    with Crowd(stack.address, 8, row) as crowd:
        for _ in range(2):
            crowd.post_more(100)
            following = stack.start_worker()
            worker.send(signum)
            worker.ended(within=WORKER_GRACE_SECONDS)
            worker = stack.ready(following)
    caller = call(stack)
    for job_id in crowd.accepted:
        assert caller.ended(job_id)["status"] == "succeeded"
    assert {record.attempt for record in stack.read(list(crowd.accepted)) if record} == {1}


def test_a_worker_ends_while_the_store_is_away(start_stack: StartStack) -> None:
    stack = start_stack()
    worker = stack.ready(stack.start_worker())
    stack.store.kill()
    wait_until("the worker has noticed", lambda: "store_unavailable" in worker.says())
    worker.send(signal.SIGTERM)
    worker.ended(within=WORKER_GRACE_SECONDS)


def test_a_worker_ends_while_the_store_is_frozen(start_stack: StartStack) -> None:
    stack = start_stack()
    worker = stack.ready(stack.start_worker())
    with stack.frozen_store():
        wait_until("the worker has noticed", lambda: "store_unavailable" in worker.says())
        worker.send(signal.SIGTERM)
        worker.ended(within=STOP_TIMEOUT_SECONDS)


def test_web_stopped_answers_everyone_who_waits(start_stack: StartStack) -> None:
    stack = start_stack()
    web = stack.start_web()
    # Without a worker they would wait for their whole 25 s.
    with Crowd(stack.address, 50, row, wait=25, once=True) as crowd:
        wait_until("all wait", lambda: stack.redis.xlen("queue:predictions") == 50)
        web.send(signal.SIGTERM)
        web.ended(within=WEB_GRACE_SECONDS)
    assert not crowd.cut
    assert crowd.answers == [202] * 50


@pytest.mark.parametrize("fresh", [False, True], ids=["kept connections", "fresh connections"])
def test_web_stopped_under_load_cuts_nobody(start_stack: StartStack, fresh: bool) -> None:
    """A connection is refused or answered: who could connect gets an answer."""
    stack = start_stack()
    stack.ready(stack.start_worker())
    web = stack.start_web()
    with Crowd(stack.address, 12, row, wait=5, fresh=fresh, pause=0.001) as crowd:
        crowd.post_more(200)
        web.send(signal.SIGTERM)
        web.ended(within=WEB_GRACE_SECONDS)
    assert not crowd.cut
    assert set(crowd.answers) <= {200, 202}


@pytest.mark.slow
def test_a_web_that_stood_still_for_long_has_its_processes_afterwards(start_stack: StartStack) -> None:
    stack = start_stack({"PAYGRADE_WEB_PROCESSES": "2"})
    web = stack.start_web()
    processes = web.children()
    os.killpg(web.pid, signal.SIGSTOP)
    time.sleep(LONGER_THAN_A_HUNG_PROCESS_MAY)
    os.killpg(web.pid, signal.SIGCONT)
    wait_until("web answers", lambda: stack.status("/healthz") == 200)
    time.sleep(SOME_LOOKS)
    assert web.children() == processes
