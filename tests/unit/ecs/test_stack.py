"""A change set that is not executed leaves nothing behind, and takes nothing from anybody else."""

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
CALLED = {"StackName": "paygrade-base", "ChangeSetName": MINE}


@pytest.fixture(autouse=True)
def _named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uuid, "uuid4", lambda: uuid.UUID(int=0))


def looked_at(aws: Stubber, status: str) -> None:
    stack = {"StackName": "paygrade-base", "StackId": STACK, "CreationTime": datetime.now(UTC)}
    aws.add_response("describe_stacks", {"Stacks": [{**stack, "StackStatus": status}]})


def shown(aws: Stubber) -> None:
    """A change set for a stack that is not there yet, made, read and deleted."""
    aws.add_client_error("describe_stacks", "ValidationError", "Stack paygrade-base does not exist")
    aws.add_response("create_change_set", {"Id": "arn:mine", "StackId": STACK})
    aws.add_response("describe_change_set", {"Status": "CREATE_COMPLETE", "Changes": []}, CALLED)
    aws.add_response("delete_change_set", {}, CALLED)


def waiting(*change_sets: str) -> dict[str, Any]:
    return {"Summaries": [{"ChangeSetName": each} for each in change_sets]}


def show(client: Any) -> None:
    with Stack(client, "paygrade-base").change_set(Template("base"), {"Name": "paygrade"}):
        pass


@pytest.mark.parametrize("listed", [[], [MINE]], ids=["gone", "going"])
def test_a_stack_made_to_be_looked_at_goes_again(stub: StubClient, listed: list[str]) -> None:
    client, aws = stub("cloudformation")
    shown(aws)
    looked_at(aws, "REVIEW_IN_PROGRESS")
    aws.add_response("list_change_sets", waiting(*listed), {"StackName": STACK})
    aws.add_response("delete_stack", {}, {"StackName": STACK})
    show(client)


def test_a_stack_that_another_has_begun_to_make_meanwhile_stays(stub: StubClient) -> None:
    client, aws = stub("cloudformation")
    shown(aws)
    looked_at(aws, "CREATE_IN_PROGRESS")
    show(client)


def test_a_stack_with_a_change_set_of_another_stays(stub: StubClient) -> None:
    client, aws = stub("cloudformation")
    shown(aws)
    looked_at(aws, "REVIEW_IN_PROGRESS")
    aws.add_response("list_change_sets", waiting("paygrade-111111111111"), {"StackName": STACK})
    show(client)


def test_a_change_set_is_executed_by_its_name(stub: StubClient) -> None:
    client, aws = stub("cloudformation")
    aws.add_client_error("describe_stacks", "ValidationError", "Stack paygrade-base does not exist")
    aws.add_response("create_change_set", {"Id": "arn:mine", "StackId": STACK})
    aws.add_response("describe_change_set", {"Status": "CREATE_COMPLETE", "Changes": []}, CALLED)
    aws.add_response("describe_stack_events", {"StackEvents": []})
    aws.add_response("execute_change_set", {}, CALLED)
    stack = Stack(client, "paygrade-base")
    with stack.change_set(Template("base"), {"Name": "paygrade"}) as change_set:
        assert change_set
        stack.execute(change_set)
