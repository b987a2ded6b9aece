"""Services as ECS tells of them while they are deployed; ministack's are always done at once."""

from datetime import datetime
from typing import Any

import pytest
from botocore.stub import ANY

from ecs.errors import ChangeFailed, Interrupted, NotThere
from ecs.names import Names
from ecs.services import Service, Services
from ecs.update import line
from tests.unit.ecs.conftest import StubClient

NAMES = Names("paygrade")
CLUSTER = "arn:aws:ecs:eu-central-1:123456789012:cluster/paygrade"
WANTED = {"cluster": "paygrade", "services": ["redis", "worker", "web"]}


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


def waited() -> tuple[list[float], list[Service]]:
    return [], []


def test_settling_ends_when_the_new_tasks_run_and_the_old_are_gone(stub: StubClient) -> None:
    client, aws = stub("ecs")
    old = {"status": "ACTIVE", "rolloutState": "COMPLETED"}
    half = service("web", "IN_PROGRESS", running=2)
    half["deployments"].append(old)
    for answer in (half, half, service("web", "IN_PROGRESS"), service("web", "COMPLETED")):
        aws.add_response("describe_services", {"services": [answer]}, WANTED)
    naps, shown = waited()
    Services(client, NAMES, naps.append).settle("web", shown.append)
    assert [each.rollout for each in shown] == ["IN_PROGRESS", "IN_PROGRESS", "COMPLETED"]
    assert len(naps) == 3


def test_ctrl_c_while_it_settles_says_that_ecs_goes_on(stub: StubClient) -> None:
    client, aws = stub("ecs")
    aws.add_response("describe_services", {"services": [service("web", "IN_PROGRESS", running=0)]}, WANTED)

    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    with pytest.raises(Interrupted, match="no longer watching web; what AWS has begun goes on"):
        Services(client, NAMES, interrupt).settle("web", lambda service: None)


def test_a_service_that_does_not_get_its_tasks_says_why(stub: StubClient) -> None:
    client, aws = stub("ecs")
    waits = service("worker", "COMPLETED", running=2, desired=9)
    waits["events"][0]["message"] = "was unable to place a task: vCPU limit"
    for answer in (waits, service("worker", "COMPLETED", running=9, desired=9)):
        aws.add_response("describe_services", {"services": [answer]}, WANTED)
    _, shown = waited()
    Services(client, NAMES, lambda seconds: None).settle("worker", shown.append)
    assert [line(each) for each in shown] == [
        "worker: 2 of 9 running, 7 pending, completed  was unable to place a task: vCPU limit",
        "worker: 9 of 9 running, 0 pending, completed",
    ]


def test_a_deployment_that_ecs_gave_up_is_told_with_why_its_tasks_stopped(stub: StubClient) -> None:
    client, aws = stub("ecs")
    aws.add_response("describe_services", {"services": [service("worker", "FAILED", running=0)]}, WANTED)
    aws.add_response("list_tasks", {"taskArns": ["a"]}, {"cluster": "paygrade", "desiredStatus": "STOPPED"})
    reason = "CannotPullContainerError: manifest for paygrade/worker:v9 not found"
    stopped = task("worker", stoppedReason="Task failed to start")
    stopped["containers"][0]["reason"] = reason
    aws.add_response("describe_tasks", {"tasks": [stopped]}, {"cluster": "paygrade", "tasks": ["a"]})
    with pytest.raises(ChangeFailed, match=reason) as error:
        Services(client, NAMES).settle("worker", lambda service: None)
    assert error.value.next_step == "python -m ecs logs worker"


def test_without_stopped_tasks_the_service_itself_says_why(stub: StubClient) -> None:
    client, aws = stub("ecs")
    aws.add_response("list_tasks", {"taskArns": []}, ANY_STOPPED)
    full = service("web", "IN_PROGRESS", running=0)
    full["events"][0]["message"] = "was unable to place a task: vCPU limit"
    aws.add_response("describe_services", {"services": [full]}, WANTED)
    assert Services(client, NAMES).why_stopped("web") == "was unable to place a task: vCPU limit"


ANY_STOPPED = {"cluster": "paygrade", "desiredStatus": "STOPPED"}


def test_whatever_hinders_asking_why_does_not_hide_the_failure(stub: StubClient) -> None:
    client, aws = stub("ecs")
    aws.add_client_error(
        "list_tasks", "ClusterNotFoundException", "Cluster not found.", expected_params=ANY_STOPPED
    )
    assert Services(client, NAMES).why_stopped("web") == ""


def test_services_that_were_removed_are_not_there(stub: StubClient) -> None:
    client, aws = stub("ecs")
    gone = service("web", "COMPLETED", status="INACTIVE")
    aws.add_response("describe_services", {"services": [gone]}, WANTED)
    with pytest.raises(NotThere, match="there is no service web"):
        Services(client, NAMES).one("web")


def test_services_come_in_the_order_in_which_they_start(stub: StubClient) -> None:
    client, aws = stub("ecs")
    listed = [service(name, "COMPLETED") for name in ("web", "redis", "worker")]
    aws.add_response("describe_services", {"services": listed}, WANTED)
    assert [each.name for each in Services(client, NAMES).all()] == ["redis", "worker", "web"]


def test_more_than_a_hundred_tasks_are_described_in_parts(stub: StubClient) -> None:
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


def test_a_task_says_how_it_ended_once(stub: StubClient) -> None:
    client, aws = stub("ecs")
    aws.add_response("list_tasks", {"taskArns": ["a"]}, ANY_STOPPED)
    containers = [{"image": "r/worker:v1", "exitCode": 137, "reason": "OutOfMemoryError"}]
    stopped = task("worker", stoppedReason="OutOfMemoryError", containers=containers)
    aws.add_response("describe_tasks", {"tasks": [stopped]}, {"cluster": "paygrade", "tasks": ANY})
    [found] = Services(client, NAMES).tasks("STOPPED")
    assert found.stopped == "OutOfMemoryError; exit status 137"


def test_the_last_failure_counts_and_not_a_task_that_had_to_make_room(stub: StubClient) -> None:
    client, aws = stub("ecs")
    aws.add_response("list_tasks", {"taskArns": ["a"]}, ANY_STOPPED)
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
    assert Services(client, NAMES).why_stopped("web") == "the last"
