"""Containers are killed, cut off and stopped under load: every accepted job ends, with its right score."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

from tests.containers.compose import STEADY, Compose, docker
from tests.integration.callers import Caller, Crowd
from tests.integration.models import score_in_process
from tests.integration.service import wait_until

SERVICES = ("redis", "worker", "web")
SILENT = "192.0.2.1"
"""An address for examples (RFC 5737): nobody has it."""
TOLD_WITHIN_SECONDS = 3

each_service = pytest.mark.parametrize("service", SERVICES)


def row(number: int) -> dict[str, float]:
    return {"years": number % 12 + 1}


@contextmanager
def load(stack: Compose) -> Iterator[Crowd]:
    """Callers that post all the while; what they say of the job they were promised is kept."""
    with Crowd(stack.address, 8, row, pause=0.02) as crowd:
        crowd.post_more(100)
        yield crowd


def assert_nothing_is_lost(stack: Compose, crowd: Crowd) -> None:
    wait_until("web is ready", lambda: stack.status("/readyz") == 200, STEADY)
    rows = list(crowd.accepted.values())
    scores = dict(zip(crowd.accepted, score_in_process(rows), strict=True))
    caller = Caller(stack.address)
    try:
        for job_id, score in scores.items():
            job = caller.ended(job_id)
            assert (job["status"], job["output"]) == ("succeeded", {"prediction": score})
    finally:
        caller.close()


@each_service
def test_what_crashes_is_started_again_and_loses_nothing(stack: Compose, service: str) -> None:
    stack.up(workers=2)
    with load(stack) as crowd:
        stack.crash(service)
        crowd.post_more(100)
    wait_until(f"{service} is healthy", lambda: stack.healthy(service), STEADY)
    assert_nothing_is_lost(stack, crowd)


@each_service
def test_what_is_killed_by_hand_and_started_again_loses_nothing(stack: Compose, service: str) -> None:
    """All workers at once; the engine leaves alone what was killed by hand."""
    stack.up(workers=2)
    with load(stack) as crowd:
        stack.run("kill", "--signal", "KILL", service)
        stack.run("start", service)
        crowd.post_more(100)
    assert_nothing_is_lost(stack, crowd)


@each_service
def test_off_the_network_and_back_loses_nothing(stack: Compose, service: str) -> None:
    stack.up(workers=2)
    network, container = f"{stack.project}_default", stack.container(service)
    with load(stack) as crowd:
        docker("network", "disconnect", network, container)
        if service == "redis":
            wait_until("callers are told", lambda: 503 in crowd.answers)
        docker("network", "connect", "--alias", service, network, container)
        crowd.post_more(100)
    assert_nothing_is_lost(stack, crowd)


def test_callers_are_told_in_time_that_redis_is_away_though_no_name_can_be_looked_up(stack: Compose) -> None:
    """The engine knows the names on the network; for any other it asks a server, here one that is silent."""
    stack.override({"web": {"dns": [SILENT]}})
    stack.up()
    docker("network", "disconnect", f"{stack.project}_default", stack.container("redis"))
    for _ in range(3):
        answer = requests.post(
            f"{stack.address}/v1/predictions", json={"inputs": row(1)}, timeout=TOLD_WITHIN_SECONDS
        )
        assert answer.status_code == 503


def test_stopped_under_load_all_end_cleanly_and_go_on_where_they_were(stack: Compose) -> None:
    stack.up(workers=2)
    with load(stack) as crowd:
        stack.run("stop", "--timeout", "15")
    states = [stack.inspect(service)["State"] for service in SERVICES]
    assert [state["ExitCode"] for state in states] == [0, 0, 0]
    stack.run("start")
    assert_nothing_is_lost(stack, crowd)


def test_what_is_kept_outlives_the_containers(stack: Compose) -> None:
    stack.up()
    with load(stack) as crowd:
        stack.run("kill", "worker")
        crowd.post_more(100)
    stack.run("down")
    assert_nothing_is_lost(stack.up(workers=3), crowd)
