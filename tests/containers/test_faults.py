"""Containers crash, lose their network and stop under load: every accepted job ends with the right score."""

from collections.abc import Iterator
from contextlib import contextmanager

import pytest
import requests

from tests.containers.compose import ENGINE_TIMEOUT, Compose, docker
from tests.integration.callers import Caller, Crowd
from tests.integration.models import score_in_process
from tests.integration.service import wait_until

SERVICES = ("redis", "worker", "web")
SILENT = "192.0.2.1"
"""An address for documentation (RFC 5737), which no host has."""
REFUSAL_TIMEOUT_SECONDS = 3

each_service = pytest.mark.parametrize("service", SERVICES)


def row(number: int) -> dict[str, float]:
    return {"years": number % 12 + 1}


@contextmanager
def load(stack: Compose) -> Iterator[Crowd]:
    """Callers that post continuously, and record the jobs that were accepted."""
    with Crowd(stack.address, 8, row, pause=0.02) as crowd:
        crowd.post_more(100)
        yield crowd


def assert_nothing_is_lost(stack: Compose, crowd: Crowd) -> None:
    wait_until("web is ready", lambda: stack.status("/readyz") == 200, ENGINE_TIMEOUT)
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
def test_a_crashed_service_restarts_without_losing_jobs(stack: Compose, service: str) -> None:
    stack.up(workers=2)
    with load(stack) as crowd:
        stack.crash(service)
        crowd.post_more(100)
    wait_until(f"{service} is healthy", lambda: stack.healthy(service), ENGINE_TIMEOUT)
    assert_nothing_is_lost(stack, crowd)


@each_service
def test_a_killed_service_that_is_started_again_loses_no_jobs(stack: Compose, service: str) -> None:
    """All containers of the service at once; the engine does not restart containers that a user killed."""
    stack.up(workers=2)
    with load(stack) as crowd:
        stack.run("kill", "--signal", "KILL", service)
        stack.run("start", service)
        crowd.post_more(100)
    assert_nothing_is_lost(stack, crowd)


@each_service
def test_a_network_interruption_loses_no_jobs(stack: Compose, service: str) -> None:
    stack.up(workers=2)
    network, container = f"{stack.project}_default", stack.container(service)
    with load(stack) as crowd:
        docker("network", "disconnect", network, container)
        if service == "redis":
            wait_until("web refuses requests", lambda: 503 in crowd.answers)
        docker("network", "connect", "--alias", service, network, container)
        crowd.post_more(100)
    assert_nothing_is_lost(stack, crowd)


def test_web_refuses_within_seconds_when_redis_cannot_be_resolved(stack: Compose) -> None:
    """The engine forwards lookups of unknown names to a DNS server, which does not respond here."""
    stack.override({"web": {"dns": [SILENT]}})
    stack.up()
    docker("network", "disconnect", f"{stack.project}_default", stack.container("redis"))
    for _ in range(3):
        answer = requests.post(
            f"{stack.address}/v1/predictions", json={"inputs": row(1)}, timeout=REFUSAL_TIMEOUT_SECONDS
        )
        assert answer.status_code == 503


def test_services_stopped_under_load_exit_cleanly_and_continue_after_a_restart(stack: Compose) -> None:
    stack.up(workers=2)
    with load(stack) as crowd:
        stack.run("stop", "--timeout", "15")
    states = [stack.inspect(service)["State"] for service in SERVICES]
    assert [state["ExitCode"] for state in states] == [0, 0, 0]
    stack.run("start")
    assert_nothing_is_lost(stack, crowd)


def test_jobs_outlive_the_containers(stack: Compose) -> None:
    stack.up()
    with load(stack) as crowd:
        stack.run("kill", "worker")
        crowd.post_more(100)
    stack.run("down")
    assert_nothing_is_lost(stack.up(workers=3), crowd)
