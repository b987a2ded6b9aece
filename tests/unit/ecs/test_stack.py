"""A change set that is not executed is deleted, without effect on other change sets and stacks."""

import uuid
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import Stubber

from ecs.stack import Stack
from ecs.template import Template
from tests.unit.ecs.conftest import StubClient

STACK = "arn:aws:cloudformation:eu-central-1:123456789012:stack/paygrade-base/1"
MINE = "paygrade-000000000000"
IDENTITY = {"StackName": "paygrade-base", "ChangeSetName": MINE}


@pytest.fixture(autouse=True)
def _fixed_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(int=0))


def add_state(aws: Stubber, status: str) -> None:
    stack = {"StackName": "paygrade-base", "StackId": STACK, "CreationTime": datetime.now(UTC)}
    aws.add_response("describe_stacks", {"Stacks": [{**stack, "StackStatus": status}]})


def add_discarded_change_set(aws: Stubber) -> None:
    """A change set for a new stack is created, read and deleted."""
    aws.add_client_error("describe_stacks", "ValidationError", "Stack paygrade-base does not exist")
    aws.add_response("create_change_set", {"Id": "arn:mine", "StackId": STACK})
    aws.add_response("describe_change_set", {"Status": "CREATE_COMPLETE", "Changes": []}, IDENTITY)
    aws.add_response("delete_change_set", {}, IDENTITY)


def listed(*change_sets: str) -> dict[str, Any]:
    return {"Summaries": [{"ChangeSetName": each} for each in change_sets]}


def create_and_discard(client: Any) -> None:
    with Stack(client, "paygrade-base").change_set(Template("base"), {"Name": "paygrade"}):
        pass


@pytest.mark.parametrize("remaining", [[], [MINE]], ids=["deleted", "being deleted"])
def test_a_stack_created_for_the_change_set_is_deleted(stub: StubClient, remaining: list[str]) -> None:
    client, aws = stub("cloudformation")
    add_discarded_change_set(aws)
    add_state(aws, "REVIEW_IN_PROGRESS")
    aws.add_response("list_change_sets", listed(*remaining), {"StackName": STACK})
    aws.add_response("delete_stack", {}, {"StackName": STACK})
    create_and_discard(client)


def test_a_stack_that_another_terminal_started_to_create_is_kept(stub: StubClient) -> None:
    client, aws = stub("cloudformation")
    add_discarded_change_set(aws)
    add_state(aws, "CREATE_IN_PROGRESS")
    create_and_discard(client)


def test_a_stack_with_another_change_set_is_kept(stub: StubClient) -> None:
    client, aws = stub("cloudformation")
    add_discarded_change_set(aws)
    add_state(aws, "REVIEW_IN_PROGRESS")
    aws.add_response("list_change_sets", listed("paygrade-111111111111"), {"StackName": STACK})
    create_and_discard(client)


def test_a_change_set_is_executed_by_name(stub: StubClient) -> None:
    client, aws = stub("cloudformation")
    aws.add_client_error("describe_stacks", "ValidationError", "Stack paygrade-base does not exist")
    aws.add_response("create_change_set", {"Id": "arn:mine", "StackId": STACK})
    aws.add_response("describe_change_set", {"Status": "CREATE_COMPLETE", "Changes": []}, IDENTITY)
    aws.add_response("describe_stack_events", {"StackEvents": []})
    aws.add_response("execute_change_set", {}, IDENTITY)
    stack = Stack(client, "paygrade-base")
    with stack.change_set(Template("base"), {"Name": "paygrade"}) as change_set:
        assert change_set
        stack.execute(change_set)
