"""One task to its end: ministack's tasks never end."""

from typing import Any

import pytest
from botocore.stub import ANY, Stubber

from ecs.errors import EcsError, Interrupted, NotThere
from ecs.names import Names
from ecs.once import Once
from tests.unit.ecs.conftest import StubClient

NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-1"], "assignPublicIp": "ENABLED"}}
VERSION = "arn:aws:ecs:eu-central-1:123456789012:task-definition/paygrade-worker:7"
TASK = "arn:aws:ecs:eu-central-1:123456789012:task/paygrade/0123abcd"
ONE = {"cluster": "paygrade", "services": ["worker"]}


def with_service(aws: Stubber) -> None:
    service = {"serviceName": "worker", "taskDefinition": VERSION, "networkConfiguration": NETWORK}
    aws.add_response("describe_services", {"services": [service]}, ONE)


def once(client: Any, naps: list[float] | None = None) -> Once:
    return Once(client, Names("paygrade"), ([] if naps is None else naps).append)


def described(status: str, **more: Any) -> dict[str, Any]:
    return {"tasks": [{"taskArn": TASK, "lastStatus": status, **more}]}


def test_it_runs_where_the_service_runs(stub: StubClient) -> None:
    client, aws = stub("ecs")
    with_service(aws)
    asked = {
        "cluster": "paygrade",
        "taskDefinition": VERSION,
        "launchType": "FARGATE",
        "networkConfiguration": NETWORK,
        "overrides": {"containerOverrides": [{"name": "worker", "command": ["python", "-m", "model"]}]},
        "startedBy": "paygrade-ecs",
    }
    aws.add_response("run_task", {"tasks": [{"taskArn": TASK}], "failures": []}, asked)
    assert once(client).start("worker", ["python", "-m", "model"]) == TASK


def test_ecs_says_why_it_starts_none(stub: StubClient) -> None:
    client, aws = stub("ecs")
    with_service(aws)
    aws.add_response(
        "run_task", {"tasks": [], "failures": [{"reason": "Capacity is unavailable at this time"}]}
    )
    with pytest.raises(EcsError, match="Capacity is unavailable"):
        once(client).start("worker", ["true"])


def test_without_the_service_there_is_no_place_for_it(stub: StubClient) -> None:
    client, aws = stub("ecs")
    aws.add_response("describe_services", {"services": []}, ONE)
    aws.add_response("describe_services", {"services": []}, ONE)
    with pytest.raises(NotThere):
        once(client).start("worker", ["true"])
    with pytest.raises(NotThere):
        once(client).version_like("worker", "paygrade-check", "r/worker:v2")


def test_its_exit_status_and_reason_are_those_of_its_container(stub: StubClient) -> None:
    client, aws = stub("ecs")
    aws.add_response("describe_tasks", described("PROVISIONING"))
    aws.add_response("describe_tasks", described("RUNNING"))
    ended = described(
        "STOPPED", stoppedReason="Essential container in task exited", containers=[{"exitCode": 3}]
    )
    aws.add_response("describe_tasks", ended)
    seen: list[str] = []
    result = once(client).wait_for(TASK, seen.append)
    assert seen == ["PROVISIONING", "RUNNING", "STOPPED"]
    assert (result.task, result.exit_status) == ("0123abcd", 3)
    assert str(result) == "exit status 3 (Essential container in task exited)"


def test_a_task_may_not_be_told_of_at_once(stub: StubClient) -> None:
    client, aws = stub("ecs")
    aws.add_response("describe_tasks", {"tasks": [], "failures": [{"arn": TASK, "reason": "MISSING"}]})
    aws.add_response("describe_tasks", described("STOPPED", containers=[{"exitCode": 0}]))
    naps: list[float] = []
    assert once(client, naps).wait_for(TASK, lambda status: None).exit_status == 0
    assert len(naps) == 1


def test_a_task_whose_image_cannot_be_pulled_has_no_exit_status(stub: StubClient) -> None:
    client, aws = stub("ecs")
    reason = "CannotPullContainerError: not found"
    aws.add_response(
        "describe_tasks", described("STOPPED", stoppedReason=reason, containers=[{"reason": reason}])
    )
    result = once(client).wait_for(TASK, lambda status: None)
    assert result.exit_status is None
    assert str(result) == reason


def test_ctrl_c_leaves_no_task_behind(stub: StubClient) -> None:
    client, aws = stub("ecs")
    aws.add_response("describe_tasks", described("RUNNING"))
    aws.add_response("stop_task", {}, {"cluster": "paygrade", "task": TASK, "reason": "no longer watched"})

    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    once = Once(client, Names("paygrade"), interrupt)
    with pytest.raises(Interrupted, match="the task was stopped"), once.stopped_on_error(TASK):
        once.wait_for(TASK, lambda status: None)


def test_what_a_closed_shell_left_running_is_stopped(stub: StubClient) -> None:
    client, aws = stub("ecs")
    aws.add_response("list_tasks", {"taskArns": [TASK]}, {"cluster": "paygrade", "startedBy": "paygrade-ecs"})
    aws.add_response("stop_task", {}, {"cluster": "paygrade", "task": TASK, "reason": ANY})
    once(client).stop_all()
    aws.add_client_error("list_tasks", "ClusterNotFoundException", "Cluster not found.")
    once(client).stop_all()


def test_the_version_that_is_tried_differs_by_its_image_alone(stub: StubClient) -> None:
    client, aws = stub("ecs")
    with_service(aws)
    container = {
        "name": "worker",
        "image": "r/worker:v1",
        "secrets": [{"name": "REDIS_URL", "valueFrom": "arn"}],
    }
    kept = {
        "cpu": "1024",
        "memory": "2048",
        "networkMode": "awsvpc",
        "executionRoleArn": "e",
        "taskRoleArn": "t",
    }
    definition = {**kept, "containerDefinitions": [container], "revision": 7, "status": "ACTIVE"}
    aws.add_response("describe_task_definition", {"taskDefinition": definition}, {"taskDefinition": VERSION})
    aws.add_response(
        "register_task_definition",
        {"taskDefinition": {"taskDefinitionArn": "tried"}},
        {
            **kept,
            "family": "paygrade-check",
            "requiresCompatibilities": ["FARGATE"],
            "containerDefinitions": [{**container, "image": "r/worker:v2"}],
        },
    )
    assert once(client).version_like("worker", "paygrade-check", "r/worker:v2") == "tried"


def test_forgetting_a_version_never_fails(stub: StubClient) -> None:
    client, aws = stub("ecs")
    aws.add_client_error(
        "deregister_task_definition", "ThrottlingException", expected_params={"taskDefinition": ANY}
    )
    once(client).forget("tried")
