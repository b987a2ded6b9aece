"""A change is shown while it happens, and a failure is reported with its first cause."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from ecs.errors import ChangeFailed
from ecs.names import ResourceNames
from ecs.progress import follow
from ecs.screen import Screen
from ecs.stack import Stack
from ecs.stack_state import StackEvent
from tests.unit.ecs.conftest import StubClient

SERVICE = "AWS::ECS::Service"


def event(logical_id: str, status: str, reason: str = "", kind: str = SERVICE) -> StackEvent:
    return StackEvent(f"{logical_id}-{status}", datetime.now(UTC), logical_id, kind, "arn", status, reason)


@pytest.fixture
def stack(stub: StubClient) -> Stack:
    return Stack(stub("cloudformation")[0], ResourceNames("paygrade").app)


def test_problems_of_a_starting_service_are_shown(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    reasons = iter(["has started 1 tasks", "has started 1 tasks", "CannotPullContainerError", ""])

    def events() -> Iterator[StackEvent | None]:
        yield None
        yield event("WebService", "UPDATE_IN_PROGRESS")
        yield from (None, None, None, None)
        yield event("WebService", "UPDATE_COMPLETE")
        yield None

    follow(stack, events(), Screen(), lambda logical_id: next(reasons))
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(")")[2].strip() for line in lines] == [
        "",
        "has started 1 tasks",
        "CannotPullContainerError",
        "",
    ]


def test_the_first_failure_is_reported_and_cancelled_resources_are_not(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    events = [
        event("WebLogs", "CREATE_FAILED", "Resource creation cancelled", "AWS::Logs::LogGroup"),
        event("WebService", "CREATE_FAILED", "ECS Deployment Circuit Breaker was triggered"),
        event("Vpc", "CREATE_FAILED", "no more VPCs", "AWS::EC2::VPC"),
        event("paygrade-app", "ROLLBACK_COMPLETE", "", "AWS::CloudFormation::Stack"),
    ]
    with pytest.raises(ChangeFailed, match=r"WebService .*: OutOfMemoryError") as failed:
        follow(stack, events, Screen(), lambda logical_id: "OutOfMemoryError")
    assert "CloudFormation removed what it had created" in failed.value.next_step
    assert "also failed: Vpc (AWS::EC2::VPC): no more VPCs" in capsys.readouterr().out


def test_a_deletion_that_succeeds_at_the_second_attempt_is_no_failure(stack: Stack) -> None:
    events = [
        event("SubnetA", "DELETE_FAILED", "has dependencies", "AWS::EC2::Subnet"),
        event("SubnetA", "DELETE_COMPLETE", "", "AWS::EC2::Subnet"),
        event("paygrade-app", "DELETE_COMPLETE", "", "AWS::CloudFormation::Stack"),
    ]
    follow(stack, events, Screen(), lambda logical_id: "")


def test_an_update_that_cannot_delete_a_replaced_resource_is_no_failure(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    events = [
        event("paygrade-app", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "", "AWS::CloudFormation::Stack"),
        event("WebGroup", "DELETE_FAILED", "has a dependent object", "AWS::EC2::SecurityGroup"),
        event("paygrade-app", "UPDATE_COMPLETE", "", "AWS::CloudFormation::Stack"),
    ]
    follow(stack, events, Screen(), lambda logical_id: "")
    message = "replaced, but not deleted: WebGroup (AWS::EC2::SecurityGroup): has a dependent object"
    assert message in capsys.readouterr().out


@pytest.mark.parametrize(
    ("status", "next_step"),
    [
        ("UPDATE_ROLLBACK_COMPLETE", "restored the previous state"),
        ("DELETE_FAILED", "python -m ecs down again"),
        ("UPDATE_ROLLBACK_FAILED", "python -m ecs up continues"),
    ],
)
def test_the_next_step_depends_on_the_final_status(stack: Stack, status: str, next_step: str) -> None:
    events = [
        event("Files", "UPDATE_FAILED", "why", "AWS::S3::Bucket"),
        event("paygrade-app", status, "", "AWS::CloudFormation::Stack"),
    ]
    with pytest.raises(ChangeFailed) as failed:
        follow(stack, events, Screen(), lambda logical_id: "")
    assert next_step in failed.value.next_step


def test_on_a_terminal_a_table_shows_resources_in_progress_and_the_last_completed(
    stack: Stack, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", "60")
    events = [event(f"Thing{number}", "CREATE_COMPLETE") for number in range(30)]
    events.append(event("WebService", "CREATE_IN_PROGRESS", "waits [Cache]"))
    follow(stack, events, Screen(), lambda logical_id: "")
    table = capsys.readouterr().out.rpartition("resource")[2]
    assert "create in progress" in table
    assert "waits [Cache]" in table
    assert "30 of 31 complete" in table
    assert "Thing29" in table
    assert "Thing9 " not in table
