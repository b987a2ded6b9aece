"""One-off tasks from start to end. ministack's tasks do not end by themselves."""

from typing import Any

import pytest
from botocore.stub import ANY, Stubber

from ecs.errors import EcsError, Interrupted, ResourceNotFound
from ecs.names import ResourceNames
from ecs.one_off_tasks import OneOffTasks
from tests.unit.ecs.conftest import StubClient

NETWORK = {"awsvpcConfiguration": {"subnets": ["subnet-1"], "assignPublicIp": "ENABLED"}}
VERSION = "arn:aws:ecs:eu-central-1:123456789012:task-definition/paygrade-worker:7"
TASK = "arn:aws:ecs:eu-central-1:123456789012:task/paygrade/0123abcd"
ONE = {"cluster": "paygrade", "services": ["worker"]}


def with_service(aws: Stubber) -> None:
    service = {"serviceName": "worker", "taskDefinition": VERSION, "networkConfiguration": NETWORK}
    aws.add_response("describe_services", {"services": [service]}, ONE)


def one_off_tasks(client: Any, waits: list[float] | None = None) -> OneOffTasks:
    return OneOffTasks(client, ResourceNames("paygrade"), ([] if waits is None else waits).append)


def described(status: str, **more: Any) -> dict[str, Any]:
    return {"tasks": [{"taskArn": TASK, "lastStatus": status, **more}]}


def test_a_task_runs_with_the_network_of_the_service(stub: StubClient) -> None:
    client, aws = stub("ecs")
    with_service(aws)
    request = {
        "cluster": "paygrade",
        "taskDefinition": VERSION,
        "launchType": "FARGATE",
        "networkConfiguration": NETWORK,
        "overrides": {"containerOverrides": [{"name": "worker", "command": ["python", "-m", "model"]}]},
        "startedBy": "paygrade-ecs",
        "propagateTags": "TASK_DEFINITION",
    }
    aws.add_response("run_task", {"tasks": [{"taskArn": TASK}], "failures": []}, request)
    assert one_off_tasks(client).start("worker", ["python", "-m", "model"]) == TASK


def test_the_reason_is_reported_if_ecs_starts_no_task(stub: StubClient) -> None:
    client, aws = stub("ecs")
    with_service(aws)
    aws.add_response(
        "run_task", {"tasks": [], "failures": [{"reason": "Capacity is unavailable at this time"}]}
    )
    with pytest.raises(EcsError, match="Capacity is unavailable"):
        one_off_tasks(client).start("worker", ["true"])


def test_a_task_needs_the_service(stub: StubClient) -> None:
    client, aws = stub("ecs")
    aws.add_response("describe_services", {"services": []}, ONE)
    aws.add_response("describe_services", {"services": []}, ONE)
    with pytest.raises(ResourceNotFound):
        one_off_tasks(client).start("worker", ["true"])
    with pytest.raises(ResourceNotFound):
        one_off_tasks(client).copy_task_definition("worker", "paygrade-check", "r/worker:v2")


def test_the_result_has_the_exit_status_of_the_container_and_the_reason(stub: StubClient) -> None:
    client, aws = stub("ecs")
    aws.add_response("describe_tasks", described("PROVISIONING"))
    aws.add_response("describe_tasks", described("RUNNING"))
    ended = described(
        "STOPPED", stoppedReason="Essential container in task exited", containers=[{"exitCode": 3}]
    )
    aws.add_response("describe_tasks", ended)
    seen: list[str] = []
    result = one_off_tasks(client).wait_until_stopped(TASK, seen.append)
    assert seen == ["PROVISIONING", "RUNNING", "STOPPED"]
    assert (result.task, result.exit_status) == ("0123abcd", 3)
    assert str(result) == "exit status 3 (Essential container in task exited)"


def test_a_new_task_that_ecs_does_not_list_yet_is_awaited(stub: StubClient) -> None:
    client, aws = stub("ecs")
    aws.add_response("describe_tasks", {"tasks": [], "failures": [{"arn": TASK, "reason": "MISSING"}]})
    aws.add_response("describe_tasks", described("STOPPED", containers=[{"exitCode": 0}]))
    waits: list[float] = []
    assert one_off_tasks(client, waits).wait_until_stopped(TASK, lambda status: None).exit_status == 0
    assert len(waits) == 1


def test_a_task_whose_image_cannot_be_pulled_has_no_exit_status(stub: StubClient) -> None:
    client, aws = stub("ecs")
    reason = "CannotPullContainerError: not found"
    aws.add_response(
        "describe_tasks", described("STOPPED", stoppedReason=reason, containers=[{"reason": reason}])
    )
    result = one_off_tasks(client).wait_until_stopped(TASK, lambda status: None)
    assert result.exit_status is None
    assert str(result) == reason


def test_ctrl_c_stops_the_task(stub: StubClient) -> None:
    client, aws = stub("ecs")
    aws.add_response("describe_tasks", described("RUNNING"))
    aws.add_response("stop_task", {}, {"cluster": "paygrade", "task": TASK, "reason": "no longer watched"})

    def interrupt(seconds: float) -> None:
        raise KeyboardInterrupt

    tasks = OneOffTasks(client, ResourceNames("paygrade"), interrupt)
    with pytest.raises(Interrupted, match="the task was stopped"), tasks.stop_on_error(TASK):
        tasks.wait_until_stopped(TASK, lambda status: None)


def test_stop_all_stops_tasks_left_by_closed_terminals(stub: StubClient) -> None:
    client, aws = stub("ecs")
    aws.add_response("list_tasks", {"taskArns": [TASK]}, {"cluster": "paygrade", "startedBy": "paygrade-ecs"})
    aws.add_response("stop_task", {}, {"cluster": "paygrade", "task": TASK, "reason": ANY})
    one_off_tasks(client).stop_all()
    aws.add_client_error("list_tasks", "ClusterNotFoundException", "Cluster not found.")
    one_off_tasks(client).stop_all()


def test_a_copied_task_definition_has_another_image_and_the_same_tags(stub: StubClient) -> None:
    client, aws = stub("ecs")
    with_service(aws)
    container = {
        "name": "worker",
        "image": "r/worker:v1",
        "secrets": [{"name": "REDIS_URL", "valueFrom": "arn"}],
    }
    copied = {
        "cpu": "1024",
        "memory": "2048",
        "networkMode": "awsvpc",
        "executionRoleArn": "e",
        "taskRoleArn": "t",
    }
    definition = {**copied, "containerDefinitions": [container], "revision": 7, "status": "ACTIVE"}
    tags = [{"key": "team", "value": "data"}, {"key": "aws:cloudformation:stack-name", "value": "x"}]
    aws.add_response(
        "describe_task_definition",
        {"taskDefinition": definition, "tags": tags},
        {"taskDefinition": VERSION, "include": ["TAGS"]},
    )
    aws.add_response(
        "register_task_definition",
        {"taskDefinition": {"taskDefinitionArn": "copy"}},
        {
            **copied,
            "family": "paygrade-check",
            "requiresCompatibilities": ["FARGATE"],
            "containerDefinitions": [{**container, "image": "r/worker:v2"}],
            "tags": tags[:1],
        },
    )
    assert one_off_tasks(client).copy_task_definition("worker", "paygrade-check", "r/worker:v2") == "copy"


def test_deregistering_never_fails(stub: StubClient) -> None:
    client, aws = stub("ecs")
    aws.add_client_error(
        "deregister_task_definition", "ThrottlingException", expected_params={"taskDefinition": ANY}
    )
    one_off_tasks(client).deregister("copy")
