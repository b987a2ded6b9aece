"""Services during a rollout. ministack completes every rollout at once."""

from datetime import datetime
from typing import Any

import pytest
from botocore.stub import ANY

from ecs.errors import ChangeFailed, Interrupted, ResourceNotFound
from ecs.names import ResourceNames
from ecs.services import EcsService, Services
from tests.unit.ecs.conftest import StubClient

NAMES = ResourceNames("paygrade")
CLUSTER = "arn:aws:ecs:eu-central-1:123456789012:cluster/paygrade"
REQUEST = {"cluster": "paygrade", "services": ["redis", "worker", "worker-spot", "web"]}


def service(name: str, rollout: str, running: int = 1, desired: int = 1, **more: Any) -> dict[str, Any]:
    primary = {"status": "PRIMARY", "rolloutState": rollout, "rolloutStateReason": "because"}
    return {
        "serviceName": name,
        "status": "ACTIVE",
        "desiredCount": desired,
        "runningCount": running,
        "pendingCount": desired - running,
        "taskDefinition": f"arn:aws:ecs:eu-central-1:123456789012:task-definition/paygrade-{name}:7",
        "deployments": [primary],
        "events": [{"id": "1", "message": "has started 1 tasks"}],
        **more,
    }


def task(name: str, **more: Any) -> dict[str, Any]:
    return {
        "taskArn": f"{CLUSTER}/task/0123abcd",
        "group": f"service:{name}",
        "lastStatus": "STOPPED",
        "containers": [{"image": f"paygrade/{name}:v1", "name": name}],
        **more,
    }


def recorders() -> tuple[list[float], list[EcsService]]:
    """Lists for the waits and for the services shown."""
    return [], []


def test_a_service_is_stable_once_the_new_tasks_run_and_the_old_are_gone(stub: StubClient) -> None:
    client, aws = stub("ecs")
    old = {"status": "ACTIVE", "rolloutState": "COMPLETED"}
    half = service("web", "IN_PROGRESS", running=2)
    half["deployments"].append(old)
    for answer in (half, half, service("web", "IN_PROGRESS"), service("web", "COMPLETED")):
        aws.add_response("describe_services", {"services": [answer]}, REQUEST)
    waits, shown = recorders()
    Services(client, NAMES, waits.append).wait_until_stable("web", shown.append)
    assert [each.rollout for each in shown] == ["IN_PROGRESS", "IN_PROGRESS", "COMPLETED"]
    assert len(waits) == 3


def test_ctrl_c_during_a_rollout_leaves_ecs_to_continue(stub: StubClient) -> None:
    client, aws = stub("ecs")
    aws.add_response("describe_services", {"services": [service("web", "IN_PROGRESS", running=0)]}, REQUEST)

    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(Interrupted, match="stopped watching web; AWS continues the change"):
        Services(client, NAMES, interrupt).wait_until_stable("web", lambda service: None)


def test_a_service_that_cannot_place_its_tasks_shows_why(stub: StubClient) -> None:
    client, aws = stub("ecs")
    waits = service("worker", "COMPLETED", running=2, desired=9)
    waits["events"][0]["message"] = "was unable to place a task: vCPU limit"
    for answer in (waits, service("worker", "COMPLETED", running=9, desired=9)):
        aws.add_response("describe_services", {"services": [answer]}, REQUEST)
    _, shown = recorders()
    Services(client, NAMES, lambda seconds: None).wait_until_stable("worker", shown.append)
    assert [each.summary for each in shown] == [
        "worker: 2 of 9 running, 7 pending, completed  was unable to place a task: vCPU limit",
        "worker: 9 of 9 running, 0 pending, completed",
    ]


def test_a_failed_rollout_is_reported_with_the_stop_reason_of_its_tasks(stub: StubClient) -> None:
    client, aws = stub("ecs")
    aws.add_response("describe_services", {"services": [service("worker", "FAILED", running=0)]}, REQUEST)
    aws.add_response("list_tasks", {"taskArns": ["a"]}, {"cluster": "paygrade", "desiredStatus": "STOPPED"})
    reason = "CannotPullContainerError: manifest for paygrade/worker:v9 not found"
    stopped = task("worker", stoppedReason="Task failed to start")
    stopped["containers"][0]["reason"] = reason
    aws.add_response("describe_tasks", {"tasks": [stopped]}, {"cluster": "paygrade", "tasks": ["a"]})
    with pytest.raises(ChangeFailed, match=reason) as error:
        Services(client, NAMES).wait_until_stable("worker", lambda service: None)
    assert error.value.next_step == "python -m ecs logs worker shows its logs"


def test_without_stopped_tasks_the_reason_is_the_last_event_of_the_service(stub: StubClient) -> None:
    client, aws = stub("ecs")
    aws.add_response("list_tasks", {"taskArns": []}, STOPPED_TASKS)
    full = service("web", "IN_PROGRESS", running=0)
    full["events"][0]["message"] = "was unable to place a task: vCPU limit"
    aws.add_response("describe_services", {"services": [full]}, REQUEST)
    assert Services(client, NAMES).stop_reason("web") == "was unable to place a task: vCPU limit"


STOPPED_TASKS = {"cluster": "paygrade", "desiredStatus": "STOPPED"}


def test_an_error_while_looking_up_the_reason_gives_no_reason(stub: StubClient) -> None:
    client, aws = stub("ecs")
    aws.add_client_error(
        "list_tasks", "ClusterNotFoundException", "Cluster not found.", expected_params=STOPPED_TASKS
    )
    assert Services(client, NAMES).stop_reason("web") == ""


def test_an_inactive_service_is_not_found(stub: StubClient) -> None:
    client, aws = stub("ecs")
    gone = service("web", "COMPLETED", status="INACTIVE")
    aws.add_response("describe_services", {"services": [gone]}, REQUEST)
    with pytest.raises(ResourceNotFound, match="there is no service web"):
        Services(client, NAMES).get("web")


def test_services_are_listed_in_start_order(stub: StubClient) -> None:
    client, aws = stub("ecs")
    listed = [service(name, "COMPLETED") for name in ("web", "redis", "worker")]
    aws.add_response("describe_services", {"services": listed}, REQUEST)
    assert [each.name for each in Services(client, NAMES).all()] == ["redis", "worker", "web"]


def test_more_than_a_hundred_tasks_are_described_in_several_calls(stub: StubClient) -> None:
    client, aws = stub("ecs")
    arns = [f"task/{number}" for number in range(130)]
    aws.add_response(
        "list_tasks",
        {"taskArns": arns[:100], "nextToken": "more"},
        {"cluster": "paygrade", "desiredStatus": "RUNNING"},
    )
    aws.add_response(
        "list_tasks",
        {"taskArns": arns[100:]},
        {"cluster": "paygrade", "desiredStatus": "RUNNING", "nextToken": "more"},
    )
    for part in (arns[:100], arns[100:]):
        tasks = [task("worker", taskArn=arn, lastStatus="RUNNING") for arn in part]
        aws.add_response("describe_tasks", {"tasks": tasks}, {"cluster": "paygrade", "tasks": part})
    assert len(Services(client, NAMES).tasks()) == 130


def test_a_stop_reason_names_each_cause_once(stub: StubClient) -> None:
    client, aws = stub("ecs")
    aws.add_response("list_tasks", {"taskArns": ["a"]}, STOPPED_TASKS)
    containers = [{"image": "r/worker:v1", "exitCode": 137, "reason": "OutOfMemoryError"}]
    stopped = task("worker", stoppedReason="OutOfMemoryError", containers=containers)
    aws.add_response("describe_tasks", {"tasks": [stopped]}, {"cluster": "paygrade", "tasks": ANY})
    [found] = Services(client, NAMES).tasks("STOPPED")
    assert found.stopped == "OutOfMemoryError; exit status 137"


def test_the_stop_reason_is_that_of_the_last_failure_and_not_of_a_planned_stop(stub: StubClient) -> None:
    client, aws = stub("ecs")
    aws.add_response("list_tasks", {"taskArns": ["a"]}, STOPPED_TASKS)
    stopped = [
        task("web", taskArn="task/1", stoppedAt=datetime(2026, 11, 22, 4, 2), stoppedReason="the last"),
        task("web", taskArn="task/2", stoppedAt=datetime(2026, 11, 22, 4, 1), stoppedReason="the first"),
        task(
            "web",
            taskArn="task/3",
            stoppedAt=datetime(2026, 11, 22, 4, 3),
            stoppedReason="Scaling activity initiated by deployment ecs-svc/1",
        ),
    ]
    aws.add_response("describe_tasks", {"tasks": stopped}, {"cluster": "paygrade", "tasks": ANY})
    assert Services(client, NAMES).stop_reason("web") == "the last"
