"""A change is told as it happens, and a failure by its first cause."""

from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from ecs.errors import ChangeFailed
from ecs.names import Names
from ecs.progress import follow
from ecs.screen import Screen
from ecs.stack import Stack
from ecs.state import Event
from tests.unit.ecs.conftest import StubClient

SERVICE = "AWS::ECS::Service"


def event(logical: str, status: str, reason: str = "", kind: str = SERVICE) -> Event:
    return Event(f"{logical}-{status}", datetime.now(UTC), logical, kind, "arn", status, reason)


@pytest.fixture
def stack(stub: StubClient) -> Stack:
    return Stack(stub("cloudformation")[0], Names("paygrade").app)


def test_while_a_service_starts_ecs_is_heard(stack: Stack, capsys: pytest.CaptureFixture[str]) -> None:
    said = iter(["has started 1 tasks", "has started 1 tasks", "CannotPullContainerError", ""])

    def events() -> Iterator[Event | None]:
        yield None
        yield event("WebService", "UPDATE_IN_PROGRESS")
        yield from (None, None, None, None)
        yield event("WebService", "UPDATE_COMPLETE")
        yield None

    follow(stack, events(), Screen(), lambda logical: next(said))
    lines = capsys.readouterr().out.splitlines()
    assert [line.partition(")")[2].strip() for line in lines] == [
        "",
        "has started 1 tasks",
        "CannotPullContainerError",
        "",
    ]


def test_the_first_cause_is_named_and_what_it_took_down_is_not(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    events = [
        event("WebLogs", "CREATE_FAILED", "Resource creation cancelled", "AWS::Logs::LogGroup"),
        event("WebService", "CREATE_FAILED", "ECS Deployment Circuit Breaker was triggered"),
        event("Vpc", "CREATE_FAILED", "no more VPCs", "AWS::EC2::VPC"),
        event("paygrade-app", "ROLLBACK_COMPLETE", "", "AWS::CloudFormation::Stack"),
    ]
    with pytest.raises(ChangeFailed, match=r"WebService .*: OutOfMemoryError") as failed:
        follow(stack, events, Screen(), lambda logical: "OutOfMemoryError")
    assert "nothing of it is left" in failed.value.next_step
    assert "also: Vpc (AWS::EC2::VPC): no more VPCs" in capsys.readouterr().out


def test_what_is_removed_at_the_second_try_has_not_failed(stack: Stack) -> None:
    events = [
        event("SubnetA", "DELETE_FAILED", "has dependencies", "AWS::EC2::Subnet"),
        event("SubnetA", "DELETE_COMPLETE", "", "AWS::EC2::Subnet"),
        event("paygrade-app", "DELETE_COMPLETE", "", "AWS::CloudFormation::Stack"),
    ]
    follow(stack, events, Screen(), lambda logical: "")


def test_an_update_that_leaves_what_it_replaced_has_not_failed(
    stack: Stack, capsys: pytest.CaptureFixture[str]
) -> None:
    events = [
        event("paygrade-app", "UPDATE_COMPLETE_CLEANUP_IN_PROGRESS", "", "AWS::CloudFormation::Stack"),
        event("WebGroup", "DELETE_FAILED", "has a dependent object", "AWS::EC2::SecurityGroup"),
        event("paygrade-app", "UPDATE_COMPLETE", "", "AWS::CloudFormation::Stack"),
    ]
    follow(stack, events, Screen(), lambda logical: "")
    left = "replaced, but not removed: WebGroup (AWS::EC2::SecurityGroup): has a dependent object"
    assert left in capsys.readouterr().out


@pytest.mark.parametrize(
    ("status", "next_step"),
    [
        ("UPDATE_ROLLBACK_COMPLETE", "all is as it was before"),
        ("DELETE_FAILED", "python -m ecs down again"),
        ("UPDATE_ROLLBACK_FAILED", "python -m ecs up goes on"),
    ],
)
def test_the_next_step_follows_from_where_it_ended(stack: Stack, status: str, next_step: str) -> None:
    events = [
        event("Files", "UPDATE_FAILED", "why", "AWS::S3::Bucket"),
        event("paygrade-app", status, "", "AWS::CloudFormation::Stack"),
    ]
    with pytest.raises(ChangeFailed) as failed:
        follow(stack, events, Screen(), lambda logical: "")
    assert next_step in failed.value.next_step


def test_on_a_terminal_a_table_keeps_to_what_moves_and_what_was_last(
    stack: Stack, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TTY_COMPATIBLE", "1")
    monkeypatch.setenv("COLUMNS", "60")
    events = [event(f"Thing{number}", "CREATE_COMPLETE") for number in range(30)]
    events.append(event("WebService", "CREATE_IN_PROGRESS", "waits [Cache]"))
    follow(stack, events, Screen(), lambda logical: "")
    board = capsys.readouterr().out.rpartition("resource")[2]
    assert "create in progress" in board
    assert "waits [Cache]" in board
    assert "30 of 31 done" in board
    assert "Thing29" in board
    assert "Thing9 " not in board
