"""The whole loop, all real but AWS: web asks ministack for workers, which are processes of this machine."""

import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psutil
import pytest
import requests

from tests.integration.ecs.cloud import CREDENTIALS, REGION, Cloud
from tests.integration.ecs.fargate import Fargate, create_services
from tests.integration.service import wait_until
from tests.integration.stack import Stack

START_SECONDS = 1.0
"""Of the stand-in for Fargate, beside the worker's own start."""
ROW = {"inputs": {"years": 4.5}}


@pytest.fixture
def sleeping(cloud: Cloud, stack: str, tmp_path: Path) -> Iterator[tuple[Stack, Fargate]]:
    """Web with two processes, and workers that sleep."""
    ecs = cloud.client("ecs")
    create_services(ecs, stack)
    settings = {
        **CREDENTIALS,
        "AWS_ENDPOINT_URL": cloud.endpoint,
        "AWS_REGION": REGION,
        "PAYGRADE_QUEUES": "predictions,batches",
        "PAYGRADE_BATCH_CHILDREN": "1",
        "PAYGRADE_WEB_PROCESSES": "2",
        "PAYGRADE_WORKER_SERVICE": f"{stack}/worker",
        "PAYGRADE_WORKER_SPOT_SERVICE": "worker-spot",
        "PAYGRADE_WARM": "never",
        "PAYGRADE_IDLE_SECONDS": "10",
        "PAYGRADE_WAKING_WAIT_SECONDS": "55",
    }
    with Stack(tmp_path / "data", settings) as site, Fargate(ecs, stack, site, START_SECONDS) as fargate:
        site.start_web()
        asleep(site)
        yield site, fargate


def asleep(stack: Stack) -> None:
    """Each web process has seen it once another round has begun: it looks every second."""
    wait_until("the workers sleep", lambda: stack.redis.hget("keeper", "asleep") == "1")
    round_ = stack.redis.hget("keeper", "round")
    wait_until("the next round", lambda: stack.redis.hget("keeper", "round") != round_)


def post(stack: Stack, path: str = "/v1/predictions", body: Any = None, **headers: str) -> requests.Response:
    return requests.post(stack.address + path, json=body or ROW, headers=headers, timeout=70)


def at_rest(stack: Stack, fargate: Fargate) -> None:
    asleep(stack)
    wait_until("no worker runs", lambda: not fargate.running and not fargate.desired())


def test_a_call_to_sleeping_workers_wakes_one_and_gets_its_score(sleeping: tuple[Stack, Fargate]) -> None:
    stack, fargate = sleeping
    answer = post(stack, "/recms", {"years": "2.5"})
    assert (answer.status_code, answer.json()) == (200, {"salary": "260.00012"})
    assert [event["spot"] for event in stack.web.events("worker_woken")] == [True]
    assert (len(fargate.workers["worker-spot"]), len(fargate.workers["worker"])) == (1, 0)
    at_rest(stack, fargate)
    wait_until("it has ended well", lambda: fargate.ended == [0])
    retry_after = int(post(stack, Prefer="respond-async").headers["Retry-After"])
    assert retry_after < 40  # no longer the first guess
    wait_until("it is scored", lambda: fargate.running == 1)
    at_rest(stack, fargate)


def test_what_was_accepted_while_ecs_was_away_and_a_web_process_died_is_scored(
    cloud: Cloud, sleeping: tuple[Stack, Fargate]
) -> None:
    stack, fargate = sleeping
    cloud.service.send(signal.SIGSTOP)
    try:
        ids = [post(stack).json()["id"] for _ in range(20)]
        victim = psutil.Process(stack.web.pid).children()[0]
        victim.kill()
    finally:
        cloud.service.send(signal.SIGCONT)
    wait_until("all are scored", lambda: all(record and record.status.ended for record in stack.read(ids)))
    assert {record.status for record in stack.read(ids) if record} == {"succeeded"}
    at_rest(stack, fargate)


def test_a_file_wakes_a_worker_that_stays_until_it_is_done(sleeping: tuple[Stack, Fargate]) -> None:
    stack, fargate = sleeping
    rows = "years\n" + "2.5\n" * 2_000
    posted = requests.post(
        f"{stack.address}/v1/batches", data=rows, headers={"Content-Type": "text/csv"}, timeout=70
    )
    assert posted.status_code == 202
    job_id = posted.json()["id"]
    wait_until("the batch has ended", lambda: shown(stack, job_id)["finished_at"])
    ended = shown(stack, job_id)
    assert (ended["status"], ended["counts"]["succeeded"]) == ("succeeded", 2_000)
    at_rest(stack, fargate)


def shown(stack: Stack, job_id: str) -> Any:
    return requests.get(f"{stack.address}/v1/batches/{job_id}", timeout=70).json()


def test_a_cold_start_is_timed_leg_by_leg(cloud: Cloud, stack: str, sleeping: tuple[Stack, Fargate]) -> None:
    site, fargate = sleeping
    said = cloud.ecs(
        "smoke", "--cold", "--url", site.address, "--json", "--stack", stack, PAYGRADE_API_KEY="any"
    )
    assert said.status == 0, said.err
    legs = said.json["legs"]
    assert list(legs) == [
        "message to UpdateService",
        "UpdateService to the task (PENDING)",
        "placed, network ready",
        "image pulled",
        "started (RUNNING)",
        "started to the first claim",
        "claim to score",
    ]
    # ministack says at once that the task runs; the stand-in for Fargate starts the worker later.
    assert legs["started to the first claim"] > START_SECONDS
    assert said.json["ours"] <= said.json["seconds"] == pytest.approx(sum(legs.values()))
    assert "message to UpdateService" in said.err
    at_rest(site, fargate)
