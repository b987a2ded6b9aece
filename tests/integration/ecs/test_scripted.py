"""Troubles of AWS itself, and of ours with it."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.ecs.cloud import Cloud, Said
from tests.integration.ecs.scripted import Answer, Scripted, error, events, result, stack
from tests.integration.service import PYTHON, Service

NOT_THERE = (400, error("ValidationError", "Stack with id paygrade-base does not exist"))
MAKING = ("paygrade-base", "CloudFormation::Stack", "CREATE_IN_PROGRESS", "User Initiated")
BACK = ("paygrade-base", "CloudFormation::Stack", "UPDATE_ROLLBACK_IN_PROGRESS", "User Initiated")
Script = Callable[..., Scripted]


@pytest.fixture
def script() -> Iterator[Script]:
    running: list[Scripted] = []

    def start(**answers: list[Answer]) -> Scripted:
        running.append(Scripted(answers))
        return running[-1]

    yield start
    for each in running:
        each.stop()


def ecs(cloud: Cloud, aws: Scripted, *arguments: str) -> Said:
    return cloud.ecs(*arguments, AWS_ENDPOINT_URL=aws.endpoint)


@pytest.mark.parametrize("verb", ["plan", "update --tag v2", "rollback", "key bob"])
def test_a_stack_that_is_being_changed_is_left_alone(cloud: Cloud, script: Script, verb: str) -> None:
    said = ecs(cloud, script(DescribeStacks=[stack("UPDATE_IN_PROGRESS")]), *verb.split())
    assert said.status == 2
    assert "is being changed (UPDATE_IN_PROGRESS)" in said.err
    assert "python -m ecs up follows that" in said.err


@pytest.mark.parametrize("verb", ["plan", "update --tag v2", "rollback", "key bob"])
def test_a_stack_that_got_stuck_is_left_to_up(cloud: Cloud, script: Script, verb: str) -> None:
    said = ecs(cloud, script(DescribeStacks=[stack("UPDATE_ROLLBACK_FAILED")]), *verb.split())
    assert said.status == 2
    assert "got stuck on its way back (UPDATE_ROLLBACK_FAILED)" in said.err
    assert "python -m ecs up goes on with it" in said.err


def test_a_base_of_another_version_is_not_built_upon(cloud: Cloud, script: Script) -> None:
    said = ecs(cloud, script(DescribeStacks=[stack("CREATE_COMPLETE")]), "key", "bob")
    assert said.status == 2
    assert "paygrade-base tells nothing of ApiKeysArn" in said.err
    assert "python -m ecs plan" in said.err


@pytest.mark.parametrize("status", ["CREATE_IN_PROGRESS", "ROLLBACK_COMPLETE"])
def test_a_stack_that_is_not_made_has_no_address(cloud: Cloud, script: Script, status: str) -> None:
    said = ecs(cloud, script(DescribeStacks=[stack(status)]), "url")
    assert said.status == 2
    assert f"paygrade-app has no address yet ({status})" in said.err
    assert "python -m ecs up goes on" in said.err


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "CREATE_FAILED", "DELETE_FAILED", "ROLLBACK_FAILED"])
def test_what_a_failed_creation_left_is_named_for_what_it_is(
    cloud: Cloud, script: Script, status: str
) -> None:
    said = ecs(cloud, script(DescribeStacks=[stack(status)]), "plan")
    assert said.status == 2
    assert status in said.err
    assert "python -m ecs up removes it and begins again" in said.err


def test_up_clears_away_what_a_failed_creation_left(cloud: Cloud, script: Script) -> None:
    aws = script(
        DescribeStacks=[stack("ROLLBACK_COMPLETE"), stack("ROLLBACK_COMPLETE"), NOT_THERE],
        DescribeStackEvents=[events(MAKING)],
        DeleteStack=[(200, "<DeleteStackResponse/>")],
    )
    said = ecs(cloud, aws, "up", "--tag", "v1", "--yes")
    assert "what a failed change has left (ROLLBACK_COMPLETE)" in said.out
    assert aws.asked.count("DeleteStack") == 1
    assert "CreateChangeSet" in aws.asked


def test_up_takes_up_a_change_that_somebody_else_watched(cloud: Cloud, script: Script) -> None:
    failed = ("Files", "S3::Bucket", "CREATE_FAILED", "no more buckets")
    aws = script(
        DescribeStacks=[stack("CREATE_IN_PROGRESS"), stack("CREATE_IN_PROGRESS"), NOT_THERE],
        DescribeStackEvents=[events(MAKING), events(MAKING, failed)],
    )
    said = ecs(cloud, aws, "up", "--tag", "v1", "--yes")
    assert "is being changed (CREATE_IN_PROGRESS); following it" in said.out
    assert "no more buckets" in said.out
    assert "CreateChangeSet" in aws.asked


def test_up_goes_on_with_a_rollback_that_got_stuck(cloud: Cloud, script: Script) -> None:
    aws = script(
        DescribeStacks=[stack("UPDATE_ROLLBACK_FAILED")] * 2 + [stack("UPDATE_ROLLBACK_COMPLETE")],
        DescribeStackEvents=[events(MAKING), events(MAKING, BACK)],
        ContinueUpdateRollback=[result("ContinueUpdateRollback", "")],
    )
    said = ecs(cloud, aws, "up", "--tag", "v1", "--yes")
    assert "got stuck on its way back; going on with it" in said.out
    assert "ContinueUpdateRollback" in aws.asked
    assert "CreateChangeSet" in aws.asked


@pytest.mark.parametrize("verb", ["up", "down"])
def test_ctrl_c_says_that_aws_goes_on(cloud: Cloud, script: Script, tmp_path: Path, verb: str) -> None:
    aws = script(
        DescribeStacks=[stack("DELETE_IN_PROGRESS")],
        DescribeStackEvents=[events(MAKING)],
        ListTasks=[(200, '{"taskArns": []}')],
    )
    environment = cloud.environment(AWS_ENDPOINT_URL=aws.endpoint)
    watching = Service([PYTHON, "-m", "ecs", verb, "--yes"], tmp_path / "log", environment)
    aws.wait_for("DescribeStackEvents", 2)
    watching.send(signal.SIGINT)
    assert watching.ended() == 130
    complaint, next_step = watching.says().splitlines()[-2:]
    assert "what AWS has begun goes on" in complaint
    # Not `up`: it would make anew what `down` takes away.
    assert "the same command again goes on from there" in next_step


def test_throttling_is_borne_for_a_while(cloud: Cloud, script: Script) -> None:
    throttled = (400, error("Throttling", "Rate exceeded"))
    aws = script(DescribeStacks=[throttled, throttled, stack("UPDATE_IN_PROGRESS")])
    assert "is being changed" in ecs(cloud, aws, "plan").err
    said = ecs(cloud, script(DescribeStacks=[throttled]), "plan")
    assert said.status == 1
    assert "Rate exceeded" in said.err
    assert "run the same again" in said.err


TROUBLES = {
    "InvalidChangeSetStatus": (400, "ChangeSet [arn:changes] is [OBSOLETE]", "somebody else changes"),
    "ValidationError": (
        400,
        "Stack:arn:paygrade-base is in UPDATE_IN_PROGRESS state and can not be updated.",
        "somebody else changes",
    ),
    "ExpiredToken": (403, "the security token included in the request is expired", "sign in again"),
    "AccessDenied": (
        403,
        "ada is not authorized to perform: cloudformation:DescribeStacks",
        "python -m ecs doctor",
    ),
    "InvalidClientTokenId": (403, "the security token included in the request is invalid", "unknown to AWS"),
    "ServiceQuotaExceededException": (400, "Limit for stacks has been exceeded", "Service Quotas"),
}


@pytest.mark.parametrize("code", TROUBLES)
def test_aws_is_quoted_and_a_next_step_is_given(cloud: Cloud, script: Script, code: str) -> None:
    status, message, next_step = TROUBLES[code]
    said = ecs(cloud, script(DescribeStacks=[(status, error(code, message))]), "plan")
    assert said.status in (1, 2)
    complaint, hint = said.err.splitlines()
    assert message in complaint
    assert next_step in hint


NOT_AWS = (200, "<html><p>Sign in to this network</html>")
BROKEN = (500, "<!doctype html><title>500 Internal Server Error</title>")


@pytest.mark.parametrize("answer", [NOT_AWS, BROKEN], ids=["another page", "an error page"])
def test_what_is_not_aws_is_named_so(cloud: Cloud, script: Script, answer: Answer) -> None:
    said = ecs(cloud, script(DescribeStacks=[answer]), "plan")
    assert said.status == 1
    complaint, next_step = said.err.splitlines()
    assert "does not speak as AWS does" in complaint
    assert "AWS_ENDPOINT_URL" in next_step


def making(*ended: tuple[str, str, str, str]) -> dict[str, list[Answer]]:
    """A base that is made, and ends so."""
    return {
        "DescribeStacks": [NOT_THERE] * 6 + [stack("ROLLBACK_IN_PROGRESS"), stack("DELETE_COMPLETE")],
        "CreateChangeSet": [
            result("CreateChangeSet", "<Id>arn:changes</Id><StackId>arn:paygrade-base</StackId>")
        ],
        "DescribeChangeSet": [result("DescribeChangeSet", "<Status>CREATE_COMPLETE</Status><Changes/>")],
        "DescribeStackEvents": [events(MAKING), events(MAKING, *ended)],
        "ExecuteChangeSet": [result("ExecuteChangeSet", "")],
    }


def test_a_full_quota_is_the_reason_that_is_given(cloud: Cloud, script: Script) -> None:
    """As CloudFormation tells of it: the resource's own words, behind those of what it took down."""
    cancelled = ("WebLogs", "Logs::LogGroup", "CREATE_FAILED", "Resource creation cancelled")
    full = ("Vpc", "EC2::VPC", "CREATE_FAILED", "The maximum number of VPCs has been reached.")
    ended = ("paygrade-base", "CloudFormation::Stack", "DELETE_COMPLETE", "")
    aws = script(**making(cancelled, full, ended))
    said = ecs(cloud, aws, "up", "--tag", "v1", "--yes")
    assert said.status == 1
    complaint, hint = said.err.splitlines()
    assert (
        complaint
        == "ecs: paygrade-base failed: Vpc (AWS::EC2::VPC): The maximum number of VPCs has been reached."
    )
    assert "nothing of it is left" in hint


def test_what_stands_in_the_way_is_named(cloud: Cloud, script: Script) -> None:
    """CloudFormation looks before it begins; what it finds is not among the stack's events."""
    refused = (
        "paygrade-base",
        "CloudFormation::Stack",
        "CREATE_FAILED",
        "Validation failed with 1 error.",
    )
    ended = ("paygrade-base", "CloudFormation::Stack", "DELETE_COMPLETE", "")
    conflict = (
        "<OperationEvents><member><EventType>VALIDATION_ERROR</EventType>"
        "<LogicalResourceId>WebLogs</LogicalResourceId><ResourceType>AWS::Logs::LogGroup</ResourceType>"
        "<ValidationStatusReason>/ecs/paygrade/web already exists.</ValidationStatusReason>"
        "</member></OperationEvents>"
    )
    aws = script(**making(refused, ended), DescribeEvents=[result("DescribeEvents", conflict)])
    said = ecs(cloud, aws, "up", "--tag", "v1", "--yes")
    assert said.status == 1
    assert "WebLogs (AWS::Logs::LogGroup): /ecs/paygrade/web already exists." in said.err
