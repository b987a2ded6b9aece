"""A cold start, leg by leg: from a message to sleeping workers to its score."""

import time
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, NamedTuple

from ecs.deployment import Deployment
from ecs.errors import EcsError, InvalidUsage
from ecs.screen import Screen
from ecs.services import EcsService
from ecs.web_client import WebClient

SLEEP_SECONDS = 900
"""Workers sleep after ten idle minutes and two rounds of the keeper."""
START_SECONDS = 600
LOOK_SECONDS = 0.25
_WORKERS = ("worker", "worker-spot")


class Moment(NamedTuple):
    """The end of a leg; None where AWS does not say when."""

    name: str
    at: datetime | None
    ours: bool = False
    """Whether the leg is Paygrade's, and not the start of the task by AWS."""


class Leg(NamedTuple):
    name: str
    seconds: float
    ours: bool


def measure(deployment: Deployment, web: WebClient, screen: Screen) -> list[Leg]:
    """Posts one row to sleeping workers. Raises EcsError if it is not scored in time."""
    wait_for_sleep(deployment, screen)
    posted = datetime.now(UTC)
    response = web.post("/v1/predictions", {"inputs": {"years": 4.5}}, Prefer="respond-async")
    if response.status != 202:
        raise EcsError(
            f"web did not accept a prediction: {response.status} {str(response.body)[:300]}",
            "python -m ecs ps and python -m ecs logs show the cause",
        )
    requested = _wait_until_requested(deployment)
    job = _wait_for_score(deployment, web, str(response.body["id"]))
    return list(legs(posted, moments(requested, _task(deployment), job)))


def wait_for_sleep(deployment: Deployment, screen: Screen) -> None:
    """Raises InvalidUsage if the workers are to stay warm, or do not fall asleep."""
    warm = deployment.app.parameters().get("Warm", "never")
    if warm == "always" and any(each.desired for each in _services(deployment)):
        raise InvalidUsage(
            f"--warm {warm}: the workers of {deployment.names.deployment} never sleep, so no start is cold",
            "python -m ecs up --warm never, and then smoke --cold",
        )
    until = time.monotonic() + SLEEP_SECONDS
    said = False
    while any(each.desired or each.running for each in _services(deployment)):
        if not said:
            screen.print("    the workers are awake; waiting until they sleep, after ten idle minutes")
            said = True
        if time.monotonic() > until:
            raise EcsError(
                f"the workers have not fallen asleep within {SLEEP_SECONDS // 60} minutes: work comes, or "
                f"these are the warm hours ({warm})",
                "try again later, or with --warm never",
            )
        deployment.wait(LOOK_SECONDS)


def moments(requested: datetime | None, task: dict[str, Any], job: dict[str, Any]) -> list[Moment]:
    """`task` is as ECS describes it, `job` as web shows it."""
    return [
        Moment("message to UpdateService", requested, ours=True),
        Moment("UpdateService to the task (PENDING)", task.get("createdAt")),
        Moment("placed, network ready", task.get("pullStartedAt")),
        Moment("image pulled", task.get("pullStoppedAt")),
        Moment("started (RUNNING)", task.get("startedAt")),
        Moment("started to the first claim", _time(job["started_at"]), ours=True),
        Moment("claim to score", _time(job["finished_at"]), ours=True),
    ]


def legs(begin: datetime, ends: Sequence[Moment]) -> Iterator[Leg]:
    """A moment that AWS does not tell makes one leg of two. Clocks differ a little: no leg is negative."""
    for moment in ends:
        if moment.at:
            yield Leg(moment.name, max((moment.at - begin).total_seconds(), 0.0), moment.ours)
            begin = max(begin, moment.at)


def _services(deployment: Deployment) -> list[EcsService]:
    return [each for each in deployment.services.all() if each.name in _WORKERS]


def _wait_until_requested(deployment: Deployment) -> datetime | None:
    """The moment when ECS was first seen to want a worker, at most a look later than it was."""
    until = time.monotonic() + START_SECONDS
    while time.monotonic() < until:
        if any(each.desired for each in _services(deployment)):
            return datetime.now(UTC)
        deployment.wait(LOOK_SECONDS)
    return None


def _wait_for_score(deployment: Deployment, web: WebClient, job: str) -> dict[str, Any]:
    response = web.poll(
        f"/v1/predictions/{job}",
        lambda response: response.status == 200 and bool(response.body["finished_at"]),
        START_SECONDS,
    )
    if response.status != 200 or response.body["status"] != "succeeded":
        reason = next(filter(None, map(deployment.services.stop_reason, _WORKERS)), "no task has stopped")
        raise EcsError(
            f"the job {job} has no score after {START_SECONDS} s: {reason}",
            "python -m ecs ps --stopped and python -m ecs logs worker show the cause",
        )
    body: dict[str, Any] = response.body
    return body


def _task(deployment: Deployment) -> dict[str, Any]:
    """The first task of the workers; nothing if it has gone already."""
    ecs, cluster = deployment.aws.client("ecs"), deployment.names.cluster
    arns = [
        arn
        for service in _services(deployment)
        for arn in ecs.list_tasks(cluster=cluster, serviceName=service.name)["taskArns"]
    ]
    tasks = ecs.describe_tasks(cluster=cluster, tasks=arns[:100])["tasks"] if arns else []
    return dict(min(tasks, key=lambda task: task["createdAt"], default={}))


def _time(text: str) -> datetime:
    return datetime.fromisoformat(text)
