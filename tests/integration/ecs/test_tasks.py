"""Commands that watch tasks. ministack's tasks run until the tests stop them."""

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
from tests.integration.service import PYTHON, Service, clean_environment, free_port, wait_until
from tests.integration.stack import Stack


def task_of(cloud: Cloud, cluster: str, family: str) -> str:
    """Waits for a one-off task of a family, and returns its id."""
    client = cloud.client("ecs")

    def found() -> list[str]:
        arns: list[str] = client.list_tasks(cluster=cluster, family=family, startedBy="paygrade-ecs")[
            "taskArns"
        ]
        return arns

    return wait_until(f"a task of {family}", found)[0].rpartition("/")[2]


def api_spelling(value: Any) -> Any:
    if isinstance(value, list):
        return [api_spelling(each) for each in value]
    if not isinstance(value, dict):
        return value
    return {
        name if name.startswith("awslogs") else name[0].lower() + name[1:]: (
            int(each) if name == "Size" else api_spelling(each)  # a parameter of the template is text
        )
        for name, each in value.items()
    }


def use_api_spelling(cloud: Cloud, cluster: str) -> None:
    """Registers the worker's task definition in the spelling of the API; ministack keeps the template's."""

    client = cloud.client("ecs")
    family = f"{cluster}-worker"
    parsed, definition = read_unparsed(client, family)
    fields = ("cpu", "memory", "networkMode", "executionRoleArn", "taskRoleArn", "requiresCompatibilities")
    client.register_task_definition(
        family=family,
        containerDefinitions=api_spelling(definition["containerDefinitions"]),
        **{name: parsed[name] for name in fields},
    )
    client.update_service(cluster=cluster, service="worker", taskDefinition=family)


def read_unparsed(client: Any, family: str) -> tuple[dict[str, Any], dict[str, Any]]:
    """A task definition as boto3 reads it, and unparsed: boto3 drops unknown keys."""
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


def test_run_shows_the_log_lines_of_its_task(cloud: Cloud, running: str, tmp_path: Path) -> None:
    command = [PYTHON, "-m", "ecs", "run", "--stack", running, "--", "python", "-m", "ops", "capacity"]
    service = Service(command, tmp_path / "run.log", cloud.environment())
    task = task_of(cloud, running, f"{running}-worker")
    log(cloud, running, f"worker/worker/{task}", "predictions: 0 waiting")
    cloud.client("ecs").stop_task(cluster=running, task=task)
    assert service.ended() == 0
    assert f"task {task} runs python -m ops capacity" in service.says()
    assert service.says().count("predictions: 0 waiting") == 1


def test_ctrl_c_stops_the_task_of_run(cloud: Cloud, running: str, tmp_path: Path) -> None:
    command = [PYTHON, "-m", "ecs", "run", "--stack", running, "--", "sleep", "999"]
    service = Service(command, tmp_path / "run.log", cloud.environment())
    task = task_of(cloud, running, f"{running}-worker")
    wait_until("the task is announced", lambda: task in service.says())
    service.send(signal.SIGINT)
    assert service.ended() == 130
    [stopped] = cloud.client("ecs").describe_tasks(cluster=running, tasks=[task])["tasks"]
    assert stopped["lastStatus"] == "STOPPED"


def test_down_stops_a_task_left_by_a_closed_terminal(cloud: Cloud, running: str, tmp_path: Path) -> None:
    command = [PYTHON, "-m", "ecs", "run", "--stack", running, "--", "sleep", "999"]
    service = Service(command, tmp_path / "run.log", cloud.environment())
    task = task_of(cloud, running, f"{running}-worker")
    service.kill()
    assert cloud.ecs("down", "--yes", "--stack", running).status == 0
    left = cloud.client("ecs").describe_tasks(cluster=running, tasks=[task])["tasks"]
    assert [each["stoppedReason"] for each in left] == ["the deployment is being removed"]


def test_a_self_check_that_cannot_run_can_be_skipped(cloud: Cloud, running: str) -> None:
    """ministack returns task definitions in a spelling that it does not accept."""
    cloud.push(running, "v2")
    result = cloud.ecs("update", "--tag", "v2", "--yes", "--stack", running)
    assert result.status == 1
    message, next_step = result.err.splitlines()
    assert "the worker's task definition cannot be copied" in message
    assert "--no-check" in next_step


def test_the_worker_image_is_checked_before_services_switch_to_it(cloud: Cloud, running: str) -> None:
    cloud.push(running, "v2")
    use_api_spelling(cloud, running)
    stopping = threading.Thread(
        target=lambda: cloud.client("ecs").stop_task(
            cluster=running, task=task_of(cloud, running, f"{running}-check")
        )
    )
    stopping.start()
    result = cloud.ecs("update", "--tag", "v2", "--yes", "--stack", running)
    stopping.join()
    assert result.status == 0, result.err
    assert result.out.index("worker:v2") < result.out.index("UPDATE_IN_PROGRESS")
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


def test_missing_log_lines_are_reported(cloud: Cloud, running: str) -> None:
    assert "no log lines in the last 10m" in cloud.ecs("logs", "--stack", running).out


def test_the_self_check_runs_in_a_worker(shared: Stack) -> None:
    """Runs the self-check of `update` with the current code."""
    environment = clean_environment(REDIS_URL=shared.redis_url)
    done = subprocess.run(
        [sys.executable, "-m", SELF_CHECK], env=environment, capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    assert "salary@1 matches its golden rows; Redis responds" in done.stdout


def test_the_self_check_says_in_a_line_why_a_worker_could_not_work() -> None:
    environment = clean_environment(REDIS_URL=f"redis://127.0.0.1:{free_port()}/0")
    done = subprocess.run(
        [sys.executable, "-m", SELF_CHECK], env=environment, capture_output=True, text=True, timeout=60
    )
    assert (done.returncode, done.stdout) == (1, "")
    assert done.stderr.startswith("self-check: Redis does not answer (ConnectionError)")
