"""Cases that ministack does not emulate: tasks with public addresses, and tasks that fail."""

import argparse
import re
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import ANY, Stubber

from ecs import bucket, images, rollback, update
from ecs.aws import Aws
from ecs.deployment import Deployment
from ecs.errors import ChangeFailed, InvalidUsage, ResourceNotFound
from ecs.names import ResourceNames
from ecs.screen import Screen
from tests.unit.ecs.conftest import StubClient

VERSION = "arn:aws:ecs:eu-central-1:123456789012:task-definition/paygrade-check:1"
TASK = "arn:aws:ecs:eu-central-1:123456789012:task/paygrade/0123abcd"


class StubbedAws(Aws):
    def __init__(self, stub: StubClient) -> None:
        self.region = "eu-central-1"
        self._stub = stub
        self._made: dict[str, tuple[Any, Stubber]] = {}

    def client(self, service: str) -> Any:
        return self._pair(service)[0]

    def on(self, service: str) -> Stubber:
        return self._pair(service)[1]

    def _pair(self, service: str) -> tuple[Any, Stubber]:
        if service not in self._made:
            self._made[service] = self._stub(service)
        return self._made[service]


@pytest.fixture
def aws(stub: StubClient) -> StubbedAws:
    return StubbedAws(stub)


@pytest.fixture
def deployment(aws: StubbedAws) -> Deployment:
    return Deployment(aws, ResourceNames("paygrade"), lambda seconds: None)


def with_stack(aws: StubbedAws, times: int = 1, **parameters: str) -> None:
    stack = {
        "StackName": "paygrade-app",
        "StackId": "arn:paygrade-app",
        "CreationTime": datetime.now(UTC),
        "StackStatus": "UPDATE_COMPLETE",
        "Parameters": [{"ParameterKey": key, "ParameterValue": value} for key, value in parameters.items()],
    }
    for _ in range(times):
        aws.on("cloudformation").add_response("describe_stacks", {"Stacks": [stack]})


def with_web_task(aws: StubbedAws, association: dict[str, str]) -> None:
    details = [{"name": "networkInterfaceId", "value": "eni-1"}]
    task = {
        "taskArn": TASK,
        "group": "service:web",
        "lastStatus": "RUNNING",
        "attachments": [{"details": details}],
    }
    aws.on("ecs").add_response("list_tasks", {"taskArns": [TASK]})
    aws.on("ecs").add_response("describe_tasks", {"tasks": [task]})
    interface = {"NetworkInterfaceId": "eni-1", **({"Association": association} if association else {})}
    aws.on("ec2").add_response(
        "describe_network_interfaces", {"NetworkInterfaces": [interface]}, {"NetworkInterfaceIds": ["eni-1"]}
    )


def test_without_a_load_balancer_the_address_is_that_of_the_task(
    aws: StubbedAws, deployment: Deployment
) -> None:
    with_stack(aws, Front="none")
    with_web_task(aws, {"PublicIp": "203.0.113.7"})
    assert deployment.address() == "http://203.0.113.7:8000"


def test_a_task_without_a_public_address_gives_no_address(aws: StubbedAws, deployment: Deployment) -> None:
    with_stack(aws, Front="none")
    with_web_task(aws, {})
    with pytest.raises(ResourceNotFound, match="no web task has a public address yet"):
        deployment.address()


@pytest.mark.parametrize(
    ("repositories", "image"),
    [({"PredictionsRepositoryUri": "r/predictions"}, "predictions"), ({}, "worker")],
    ids=["now", "older template"],
)
def test_a_rollback_looks_at_the_images_that_the_workers_would_have(
    aws: StubbedAws,
    deployment: Deployment,
    capsys: pytest.CaptureFixture[str],
    repositories: dict[str, str],
    image: str,
) -> None:
    running = {"ImageTag": "v3", "PreviousTags": "v2,v1", "Queues": "predictions", "Architecture": images.ARM}
    with_stack(aws, 1, **running, **repositories)
    pushed = [{"imageTags": ["v2-arm64"], "imagePushedAt": datetime(2026, 11, 2, 9, 30, tzinfo=UTC)}]
    for tag, found in (("v2", pushed), ("v1", [])):
        wanted = {"repositoryName": f"paygrade/{image}", "imageIds": [{"imageTag": f"{tag}-arm64"}]}
        aws.on("ecr").add_response("describe_images", {"imageDetails": found}, wanted)
    with pytest.raises(InvalidUsage, match="several images to go back to"):
        rollback.run(deployment, Screen(yes=True), argparse.Namespace(to=None))
    assert re.search(r"v2 +2026-11-02 09:30\n.*v1 +no longer in the registry", capsys.readouterr().out)


def test_no_service_switches_to_an_image_that_fails_its_self_check(
    aws: StubbedAws, deployment: Deployment, capsys: pytest.CaptureFixture[str]
) -> None:
    failing_self_check(aws, "GoldenMismatch: salary@1\n")
    with pytest.raises(ChangeFailed, match="v2 fails its self-check: exit status 1") as failed:
        update.switch_images(deployment, Screen(yes=True), "v2", images_only=True)
    assert "no service was switched to it" in failed.value.next_step
    assert "GoldenMismatch: salary@1" in capsys.readouterr().out


def test_an_image_of_a_version_without_a_self_check_can_be_switched_to_without_one(
    aws: StubbedAws, deployment: Deployment
) -> None:
    failing_self_check(aws, "/opt/venv/bin/python: No module named worker.self_check\n")
    with pytest.raises(ChangeFailed, match="v2 is of a version without a self-check") as failed:
        update.switch_images(deployment, Screen(yes=True), "v2", images_only=True)
    assert "--no-check" in failed.value.next_step


def failing_self_check(aws: StubbedAws, line: str) -> None:
    """The calls of an update whose self-check writes this line, and fails."""
    with_stack(aws, times=2, ImageTag="v1", WorkerRepositoryUri="r/worker")
    found = {"imageDetails": [{"imageTags": ["v2"]}]}
    for _ in ("worker", "web", "redis"):
        aws.on("ecr").add_response("describe_images", found)
    failing_task(aws.on("ecs"))
    lines = [{"eventId": "1", "timestamp": 1, "message": line}]
    aws.on("logs").add_response("filter_log_events", {"events": lines})


def failing_task(ecs: Stubber) -> None:
    """The calls from copying the worker's task definition to deregistering the copy."""
    service = {"serviceName": "worker", "taskDefinition": "paygrade-worker:7", "networkConfiguration": {}}
    definition = {"containerDefinitions": [{"name": "worker", "image": "r/worker:v1"}], "cpu": "1024"}
    ecs.add_response("describe_services", {"services": [service]})
    ecs.add_response("describe_task_definition", {"taskDefinition": definition})
    ecs.add_response("register_task_definition", {"taskDefinition": {"taskDefinitionArn": VERSION}})
    ecs.add_response("describe_services", {"services": [service]})
    ecs.add_response("run_task", {"tasks": [{"taskArn": TASK}]})
    ended = {"taskArn": TASK, "lastStatus": "STOPPED", "containers": [{"exitCode": 1}]}
    ecs.add_response("describe_tasks", {"tasks": [ended]}, {"cluster": "paygrade", "tasks": [TASK]})
    ecs.add_response("deregister_task_definition", {}, {"taskDefinition": ANY})


def test_a_bucket_of_another_account_is_not_used(aws: StubbedAws) -> None:
    """Names of buckets are unique in all of AWS."""
    aws.on("s3").add_client_error("head_bucket", "403", "Forbidden", 403)
    identity = {"Account": "123456789012", "Arn": "arn:aws:iam::123456789012:user/ada", "UserId": "X"}
    aws.on("sts").add_response("get_caller_identity", identity)
    with pytest.raises(InvalidUsage, match="exists, and you may not use it: it is another account's"):
        bucket.exists(aws, "paygrade-files-123456789012-eu-central-1")
