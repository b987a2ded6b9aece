"""Errors and unusual states that AWS reports."""

import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.integration.ecs.cloud import Cloud, CommandResult
from tests.integration.ecs.scripted import Response, Scripted, error, events, result, stack
from tests.integration.service import PYTHON, Service

MISSING_STACK = (400, error("ValidationError", "Stack with id paygrade-base does not exist"))
CREATING = ("paygrade-base", "CloudFormation::Stack", "CREATE_IN_PROGRESS", "User Initiated")
ROLLING_BACK = (
    "paygrade-base",
    "CloudFormation::Stack",
    "UPDATE_ROLLBACK_IN_PROGRESS",
    "User Initiated",
)
Script = Callable[..., Scripted]


@pytest.fixture
def script() -> Iterator[Script]:
    running: list[Scripted] = []

    def start(**answers: list[Response]) -> Scripted:
        running.append(Scripted(answers))
        return running[-1]

    yield start
    for each in running:
        each.stop()


def ecs(cloud: Cloud, aws: Scripted, *arguments: str) -> CommandResult:
    return cloud.ecs(*arguments, AWS_ENDPOINT_URL=aws.endpoint)


@pytest.mark.parametrize("command", ["plan", "update --tag v2", "rollback", "key add bob"])
def test_a_stack_in_progress_is_not_changed(cloud: Cloud, script: Script, command: str) -> None:
    done = ecs(cloud, script(DescribeStacks=[stack("UPDATE_IN_PROGRESS")]), *command.split())
    assert done.status == 2
    assert "is being changed (UPDATE_IN_PROGRESS)" in done.err
    assert "python -m ecs up follows the change" in done.err


@pytest.mark.parametrize("command", ["plan", "update --tag v2", "rollback", "key add bob"])
def test_a_failed_rollback_is_left_to_up(cloud: Cloud, script: Script, command: str) -> None:
    done = ecs(cloud, script(DescribeStacks=[stack("UPDATE_ROLLBACK_FAILED")]), *command.split())
    assert done.status == 2
    assert "failed (UPDATE_ROLLBACK_FAILED)" in done.err
    assert "python -m ecs up continues the rollback" in done.err


def test_a_base_of_another_version_is_refused(cloud: Cloud, script: Script) -> None:
    done = ecs(cloud, script(DescribeStacks=[stack("CREATE_COMPLETE")]), "key", "add", "bob")
    assert done.status == 2
    assert "paygrade-base has no output AlarmTopicArn, ApiKeysArn" in done.err
    assert "python -m ecs plan" in done.err


@pytest.mark.parametrize("status", ["CREATE_IN_PROGRESS", "ROLLBACK_COMPLETE"])
def test_an_incomplete_stack_has_no_address(cloud: Cloud, script: Script, status: str) -> None:
    done = ecs(cloud, script(DescribeStacks=[stack(status)]), "url")
    assert done.status == 2
    assert f"paygrade-app has no address yet ({status})" in done.err
    assert "run python -m ecs up, which completes" in done.err


@pytest.mark.parametrize("status", ["ROLLBACK_COMPLETE", "CREATE_FAILED", "DELETE_FAILED", "ROLLBACK_FAILED"])
def test_the_status_of_a_failed_creation_is_reported(cloud: Cloud, script: Script, status: str) -> None:
    done = ecs(cloud, script(DescribeStacks=[stack(status)]), "plan")
    assert done.status == 2
    assert status in done.err
    assert "python -m ecs up deletes and recreates it" in done.err


def test_up_deletes_what_a_failed_creation_left(cloud: Cloud, script: Script) -> None:
    aws = script(
        DescribeStacks=[stack("ROLLBACK_COMPLETE"), stack("ROLLBACK_COMPLETE"), MISSING_STACK],
        DescribeStackEvents=[events(CREATING)],
        DeleteStack=[(200, "<DeleteStackResponse/>")],
    )
    done = ecs(cloud, aws, "up", "--tag", "v1", "--yes")
    assert "a failed change left paygrade-base in ROLLBACK_COMPLETE" in done.out
    assert aws.actions.count("DeleteStack") == 1
    assert "CreateChangeSet" in aws.actions


def test_up_follows_a_change_in_progress(cloud: Cloud, script: Script) -> None:
    failed = ("Files", "S3::Bucket", "CREATE_FAILED", "no more buckets")
    aws = script(
        DescribeStacks=[stack("CREATE_IN_PROGRESS"), stack("CREATE_IN_PROGRESS"), MISSING_STACK],
        DescribeStackEvents=[events(CREATING), events(CREATING, failed)],
    )
    done = ecs(cloud, aws, "up", "--tag", "v1", "--yes")
    assert "is being changed (CREATE_IN_PROGRESS); following the change" in done.out
    assert "no more buckets" in done.out
    assert "CreateChangeSet" in aws.actions


def test_up_continues_a_failed_rollback(cloud: Cloud, script: Script) -> None:
    aws = script(
        DescribeStacks=[stack("UPDATE_ROLLBACK_FAILED")] * 2 + [stack("UPDATE_ROLLBACK_COMPLETE")],
        DescribeStackEvents=[events(CREATING), events(CREATING, ROLLING_BACK)],
        ContinueUpdateRollback=[result("ContinueUpdateRollback", "")],
    )
    done = ecs(cloud, aws, "up", "--tag", "v1", "--yes")
    assert "the rollback of paygrade-base failed; continuing it" in done.out
    assert "ContinueUpdateRollback" in aws.actions
    assert "CreateChangeSet" in aws.actions


@pytest.mark.parametrize("command", ["up", "down"])
def test_ctrl_c_stops_watching_and_aws_continues(
    cloud: Cloud, script: Script, tmp_path: Path, command: str
) -> None:
    aws = script(
        DescribeStacks=[stack("DELETE_IN_PROGRESS")],
        DescribeStackEvents=[events(CREATING)],
        ListTasks=[(200, '{"taskArns": []}')],
    )
    environment = cloud.environment(AWS_ENDPOINT_URL=aws.endpoint)
    watching = Service([PYTHON, "-m", "ecs", command, "--yes"], tmp_path / "log", environment)
    aws.wait_for("DescribeStackEvents", 2)
    watching.send(signal.SIGINT)
    assert watching.ended() == 130
    problem, next_step = watching.says().splitlines()[-2:]
    assert "AWS continues the change" in problem
    # Not `up`, which would recreate what `down` deletes.
    assert "run the same command again to resume watching" in next_step


def test_throttled_requests_are_retried(cloud: Cloud, script: Script) -> None:
    throttled = (400, error("Throttling", "Rate exceeded"))
    aws = script(DescribeStacks=[throttled, throttled, stack("UPDATE_IN_PROGRESS")])
    assert "is being changed" in ecs(cloud, aws, "plan").err
    done = ecs(cloud, script(DescribeStacks=[throttled]), "plan")
    assert done.status == 1
    assert "Rate exceeded" in done.err
    assert "run the same command again" in done.err


ERRORS = {
    "InvalidChangeSetStatus": (400, "ChangeSet [arn:changes] is [OBSOLETE]", "another process is changing"),
    "ValidationError": (
        400,
        "Stack:arn:paygrade-base is in UPDATE_IN_PROGRESS state and can not be updated.",
        "another process is changing",
    ),
    "ExpiredToken": (403, "the security token included in the request is expired", "sign in again"),
    "AccessDenied": (
        403,
        "ada is not authorized to perform: cloudformation:DescribeStacks",
        "python -m ecs doctor",
    ),
    "InvalidClientTokenId": (
        403,
        "the security token included in the request is invalid",
        "does not know these credentials",
    ),
    "IncompleteSignature": (403, "the Credential is not in the format of a key", "perhaps a space"),
    "RequestExpired": (400, "Request has expired.", "set the clock of this machine"),
    "SignatureDoesNotMatch": (
        403,
        "Signature expired: 20261128T000000Z is now earlier than 20261128T230000Z",
        "set the clock of this machine",
    ),
    "ServiceQuotaExceededException": (400, "Limit for stacks has been exceeded", "Service Quotas"),
}


@pytest.mark.parametrize("code", ERRORS)
def test_the_message_of_aws_is_quoted_with_a_next_step(cloud: Cloud, script: Script, code: str) -> None:
    status, message, hint = ERRORS[code]
    done = ecs(cloud, script(DescribeStacks=[(status, error(code, message))]), "plan")
    assert done.status in (1, 2)
    problem, next_step = done.err.splitlines()
    assert message in problem
    assert hint in next_step


NOT_AWS = (200, "<html><p>Sign in to this network</html>")
BROKEN = (500, "<!doctype html><title>500 Internal Server Error</title>")


@pytest.mark.parametrize("answer", [NOT_AWS, BROKEN], ids=["a page", "an error page"])
def test_a_response_that_is_not_from_aws_is_reported(cloud: Cloud, script: Script, answer: Response) -> None:
    done = ecs(cloud, script(DescribeStacks=[answer]), "plan")
    assert done.status == 1
    problem, next_step = done.err.splitlines()
    assert "does not come from AWS" in problem
    assert "AWS_ENDPOINT_URL" in next_step


def creation(*last_events: tuple[str, str, str, str]) -> dict[str, list[Response]]:
    """The responses while the base stack is created, with its last events."""
    return {
        "DescribeStacks": [MISSING_STACK] * 8 + [stack("ROLLBACK_IN_PROGRESS"), stack("DELETE_COMPLETE")],
        "CreateChangeSet": [
            result("CreateChangeSet", "<Id>arn:changes</Id><StackId>arn:paygrade-base</StackId>")
        ],
        "DescribeChangeSet": [result("DescribeChangeSet", "<Status>CREATE_COMPLETE</Status><Changes/>")],
        "DescribeStackEvents": [events(CREATING), events(CREATING, *last_events)],
        "ExecuteChangeSet": [result("ExecuteChangeSet", "")],
    }


def test_a_reached_quota_is_reported_as_the_cause(cloud: Cloud, script: Script) -> None:
    """CloudFormation reports the cancelled resources first."""
    cancelled = ("WebLogs", "Logs::LogGroup", "CREATE_FAILED", "Resource creation cancelled")
    full = ("Vpc", "EC2::VPC", "CREATE_FAILED", "The maximum number of VPCs has been reached.")
    ended = ("paygrade-base", "CloudFormation::Stack", "DELETE_COMPLETE", "")
    aws = script(**creation(cancelled, full, ended))
    done = ecs(cloud, aws, "up", "--tag", "v1", "--yes")
    assert done.status == 1
    problem, next_step = done.err.splitlines()
    assert (
        problem
        == "ecs: paygrade-base failed: Vpc (AWS::EC2::VPC): The maximum number of VPCs has been reached."
    )
    assert "CloudFormation removed what it had created" in next_step


def test_a_validation_error_is_reported(cloud: Cloud, script: Script) -> None:
    """CloudFormation validates before it starts; these errors are not among the stack's events."""
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
    aws = script(**creation(refused, ended), DescribeEvents=[result("DescribeEvents", conflict)])
    done = ecs(cloud, aws, "up", "--tag", "v1", "--yes")
    assert done.status == 1
    assert "WebLogs (AWS::Logs::LogGroup): /ecs/paygrade/web already exists." in done.err
