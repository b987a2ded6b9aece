"""Commands that watch tasks: ministack's run until they are told to stop, which the tests do."""

import json
import signal
import subprocess
import sys
import threading
import time
from pathlib import Path
from typing import Any

from ecs.update import SELF_CHECK
from tests.integration.ecs.cloud import Cloud
from tests.integration.service import PYTHON, Service, clean_environment, wait_until
from tests.integration.stack import Stack


def task_of(cloud: Cloud, cluster: str, family: str) -> str:
    """The id of the one-off task of a family, once there is one."""
    client = cloud.client("ecs")

    def found() -> list[str]:
        arns: list[str] = client.list_tasks(cluster=cluster, family=family, startedBy="paygrade-ecs")[
            "taskArns"
        ]
        return arns

    return wait_until(f"a task of {family}", found)[0].rpartition("/")[2]


def told_as_by_aws(cloud: Cloud, cluster: str) -> None:
    """ministack tells of a definition that came from a template in the template's spelling."""

    def api_spelling(value: Any) -> Any:
        if isinstance(value, list):
            return [api_spelling(each) for each in value]
        if not isinstance(value, dict):
            return value
        return {
            name if name.startswith("awslogs") else name[0].lower() + name[1:]: api_spelling(each)
            for name, each in value.items()
        }

    client = cloud.client("ecs")
    family = f"{cluster}-worker"
    parsed, definition = read_unparsed(client, family)
    kept = ("cpu", "memory", "networkMode", "executionRoleArn", "taskRoleArn", "requiresCompatibilities")
    client.register_task_definition(
        family=family,
        containerDefinitions=api_spelling(definition["containerDefinitions"]),
        **{name: parsed[name] for name in kept},
    )
    client.update_service(cluster=cluster, service="worker", taskDefinition=family)


def read_unparsed(client: Any, family: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A task definition as boto3 reads it, and as it came: boto3 drops what is misspelt."""
    bodies: list[bytes] = []
    client.meta.events.register(
        "after-call.ecs.DescribeTaskDefinition",
        lambda http_response, **_: bodies.append(http_response.content),
    )
    parsed = client.describe_task_definition(taskDefinition=family)["taskDefinition"]
    return parsed, json.loads(bodies[0])["taskDefinition"]


def log(cloud: Cloud, stack: str, stream: str, message: str) -> None:
    group = f"/ecs/{stack}/worker"
    client = cloud.client("logs")
    client.create_log_stream(logGroupName=group, logStreamName=stream)
    events: list[Any] = [{"timestamp": int(time.time() * 1000), "message": message}]
    client.put_log_events(logGroupName=group, logStreamName=stream, logEvents=events)


def test_one_command_is_run_and_heard(cloud: Cloud, running: str, tmp_path: Path) -> None:
    command = [PYTHON, "-m", "ecs", "run", "--stack", running, "--", "python", "-m", "model", "--help"]
    service = Service(command, tmp_path / "run.log", cloud.environment())
    task = task_of(cloud, running, f"{running}-worker")
    log(cloud, running, f"worker/worker/{task}", "usage: python -m model")
    cloud.client("ecs").stop_task(cluster=running, task=task)
    assert service.ended() == 0
    assert f"task {task} runs python -m model --help" in service.says()
    assert service.says().count("usage: python -m model") == 1


def test_ctrl_c_stops_the_task_that_nobody_else_would(cloud: Cloud, running: str, tmp_path: Path) -> None:
    command = [PYTHON, "-m", "ecs", "run", "--stack", running, "--", "sleep", "999"]
    service = Service(command, tmp_path / "run.log", cloud.environment())
    task = task_of(cloud, running, f"{running}-worker")
    wait_until("it says so", lambda: task in service.says())
    service.send(signal.SIGINT)
    assert service.ended() == 130
    [stopped] = cloud.client("ecs").describe_tasks(cluster=running, tasks=[task])["tasks"]
    assert stopped["lastStatus"] == "STOPPED"


def test_down_stops_what_a_closed_shell_has_left(cloud: Cloud, running: str, tmp_path: Path) -> None:
    command = [PYTHON, "-m", "ecs", "run", "--stack", running, "--", "sleep", "999"]
    service = Service(command, tmp_path / "run.log", cloud.environment())
    task = task_of(cloud, running, f"{running}-worker")
    service.kill()
    assert cloud.ecs("down", "--yes", "--stack", running).status == 0
    left = cloud.client("ecs").describe_tasks(cluster=running, tasks=[task])["tasks"]
    assert [each["stoppedReason"] for each in left] == ["the deployment is removed"]


def test_an_image_that_cannot_be_tried_here_can_still_be_switched_to(cloud: Cloud, running: str) -> None:
    """As against ministack from a shell, where nobody mends its spelling."""
    cloud.push(running, "v2")
    said = cloud.ecs("update", "--tag", "v2", "--yes", "--stack", running)
    assert said.status == 1
    complaint, next_step = said.err.splitlines()
    assert "the worker's task definition cannot be copied" in complaint
    assert "--no-check" in next_step


def test_the_workers_image_is_tried_before_it_is_switched_to(cloud: Cloud, running: str) -> None:
    cloud.push(running, "v2")
    told_as_by_aws(cloud, running)
    trial = threading.Thread(
        target=lambda: cloud.client("ecs").stop_task(
            cluster=running, task=task_of(cloud, running, f"{running}-check")
        )
    )
    trial.start()
    said = cloud.ecs("update", "--tag", "v2", "--yes", "--stack", running)
    trial.join()
    assert said.status == 0, said.err
    assert said.out.index("worker:v2") < said.out.index("UPDATE_IN_PROGRESS")
    left = cloud.client("ecs").list_task_definitions(familyPrefix=f"{running}-check", status="ACTIVE")
    assert left["taskDefinitionArns"] == []


def test_logs_are_shown_once_and_followed(cloud: Cloud, running: str, tmp_path: Path) -> None:
    log(cloud, running, "worker/worker/0123456789", "one")
    shown = cloud.ecs("logs", "worker", "--stack", running)
    assert "worker/01234567  one" in shown.out
    command = [PYTHON, "-m", "ecs", "logs", "--follow", "--stack", running]
    service = Service(command, tmp_path / "logs.log", cloud.environment())
    wait_until("the first line", lambda: "one" in service.says())
    log(cloud, running, "worker/worker/9876543210", "two")
    wait_until("the second line", lambda: "two" in service.says())
    service.send(signal.SIGINT)
    assert service.ended() == 0
    assert service.says().count("one") == 1


def test_silence_is_said_to_be_silence(cloud: Cloud, running: str) -> None:
    assert "nothing was written within 10m" in cloud.ecs("logs", "--stack", running).out


def test_the_self_check_runs_in_a_worker(shared: Stack) -> None:
    """What an update asks of a new image, asked of what is here."""
    environment = clean_environment(REDIS_URL=shared.redis_url)
    done = subprocess.run(
        [sys.executable, "-c", SELF_CHECK], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "salary@1 is right; Redis answers" in done.stdout
