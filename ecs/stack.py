"""One CloudFormation stack: its state, change sets, and the events of a change."""

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from ecs.aws import message_of
from ecs.changes import ResourceChange, parse_changes
from ecs.errors import EcsError
from ecs.stack_state import StackEvent, StackState, parse_event, parse_state
from ecs.tags import Tags
from ecs.template import Template

_NO_CHANGE = ("didn't contain changes", "No updates are to be performed")
EventStream = Iterator[StackEvent | None]
"""The events of a change in order; None after each poll."""
FIRST_POLL_SECONDS = 0.25
MAX_POLL_SECONDS = 3.0


@dataclass
class ChangeSet:
    name: str
    stack_id: str
    changes: list[ResourceChange]
    executed: bool = False


class Stack:
    def __init__(self, cloudformation: Any, name: str, wait: Callable[[float], None] = time.sleep) -> None:
        self.name = name
        self._cloudformation = cloudformation
        self._wait = wait

    def state(self, stack_id: str | None = None) -> StackState | None:
        """None if the stack does not exist. A deleted stack is found only by its id."""
        try:
            [stack] = self._cloudformation.describe_stacks(StackName=stack_id or self.name)["Stacks"]
        except ClientError as error:
            if "does not exist" in message_of(error):
                return None
            raise
        if stack["StackStatus"] == "DELETE_COMPLETE" and not stack_id:
            return None
        return parse_state(stack)

    def template_body(self) -> str:
        """As it was given to CloudFormation."""
        answer = self._cloudformation.get_template(StackName=self.name, TemplateStage="Original")
        return str(answer["TemplateBody"])

    def resources(self) -> dict[str, str]:
        """The physical ids by the logical ids."""
        pages = self._cloudformation.get_paginator("list_stack_resources").paginate(StackName=self.name)
        return {
            each["LogicalResourceId"]: each.get("PhysicalResourceId", "")
            for page in pages
            for each in page["StackResourceSummaries"]
        }

    def parameters(self) -> dict[str, str]:
        """The current parameters, which an update keeps unless it sets them."""
        state = self.state()
        return state.parameters if state and not (state.in_review or state.must_be_deleted) else {}

    @contextmanager
    def change_set(
        self, template: Template | None, parameters: Mapping[str, str], tags: Tags | None = None
    ) -> Iterator[ChangeSet | None]:
        """Creates a change set; None if nothing would change. Without a template, uses the stack's own.

        Without tags, the stack keeps those that it has.
        A change set that the block does not execute is deleted, and with it a stack that exists only for it.
        """
        state = self.state()
        creating = state is None or state.in_review
        inputs = self._template_and_parameters(template, parameters, None if creating else state)
        name = f"paygrade-{uuid.uuid4().hex[:12]}"
        answer = self._cloudformation.create_change_set(
            **self._identify(name),
            ChangeSetType="CREATE" if creating else "UPDATE",
            Capabilities=["CAPABILITY_IAM"],
            **({"OnStackFailure": "DELETE"} if creating else {}),
            **({} if tags is None else {"Tags": [{"Key": key, "Value": tags[key]} for key in sorted(tags)]}),
            **inputs,
        )
        change_set = ChangeSet(name, answer["StackId"], [])
        try:
            if self._load_changes(change_set):
                yield change_set
            else:
                yield None
        finally:
            if not change_set.executed:
                self._discard(change_set, with_stack=creating)

    def _identify(self, change_set: str) -> dict[str, str]:
        """By name, since permissions on the stack do not cover the ARN of a change set."""
        return {"StackName": self.name, "ChangeSetName": change_set}

    def _template_and_parameters(
        self, template: Template | None, parameters: Mapping[str, str], state: StackState | None
    ) -> dict[str, Any]:
        """A parameter without a new value keeps its current value, or else the template's default."""
        current = state.parameters if state else {}
        names = set(template.parameters) if template else set(current)
        values: list[dict[str, Any]] = [
            {"ParameterKey": name, "ParameterValue": parameters[name]}
            if name in parameters
            else {"ParameterKey": name, "UsePreviousValue": True}
            for name in sorted(names)
            if name in parameters or name in current
        ]
        body = {"TemplateBody": template.body} if template else {"UsePreviousTemplate": True}
        return {"Parameters": values, **body}

    def _load_changes(self, change_set: ChangeSet) -> bool:
        """Returns False if nothing would change. Raises EcsError if CloudFormation refuses the change set."""
        described = self._wait_for_change_set(change_set)
        identity = self._identify(change_set.name)
        if described["Status"] == "FAILED":
            reason = described.get("StatusReason", "")
            if any(text in reason for text in _NO_CHANGE):
                return False
            errors = "; ".join(self.validation_errors(**identity))
            raise EcsError(
                f"CloudFormation refused the change of {self.name}: {errors or reason}",
                "correct the cause, or omit the option that requests it; nothing was changed",
            )
        pages = [described]
        while token := pages[-1].get("NextToken"):
            pages.append(self._cloudformation.describe_change_set(**identity, NextToken=token))
        change_set.changes = [change for page in pages for change in parse_changes(page)]
        return True

    def _wait_for_change_set(self, change_set: ChangeSet) -> dict[str, Any]:
        while True:
            described: dict[str, Any] = self._cloudformation.describe_change_set(
                **self._identify(change_set.name)
            )
            if described["Status"] not in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
                return described
            self._wait(0.5)

    def _discard(self, change_set: ChangeSet, with_stack: bool) -> None:
        with suppress(ClientError):
            self._cloudformation.delete_change_set(**self._identify(change_set.name))
            if with_stack and self._exists_only_for(change_set):
                self._cloudformation.delete_stack(StackName=change_set.stack_id)

    def _exists_only_for(self, change_set: ChangeSet) -> bool:
        """Whether no other terminal has a change set for the stack or has started to create it."""
        state = self.state(change_set.stack_id)
        if state is None or not state.in_review:
            return False
        listed = self._cloudformation.list_change_sets(StackName=change_set.stack_id)["Summaries"]
        return all(each["ChangeSetName"] == change_set.name for each in listed)

    def execute(self, change_set: ChangeSet) -> EventStream:
        """Starts the change and returns its events."""
        before = self._last_event(change_set.stack_id)
        self._cloudformation.execute_change_set(**self._identify(change_set.name))
        change_set.executed = True
        return self.follow(change_set.stack_id, before)

    def protect(self, on: bool) -> None:
        self._cloudformation.update_termination_protection(
            StackName=self.name, EnableTerminationProtection=on
        )

    def delete(self) -> EventStream:
        state = self.state()
        if state is None:
            return iter(())
        before = self._last_event(state.id)
        self._cloudformation.delete_stack(StackName=state.id)
        return self.follow(state.id, before)

    def continue_rollback(self) -> EventStream:
        state = self.state()
        if state is None:
            return iter(())
        before = self._last_event(state.id)
        self._cloudformation.continue_update_rollback(StackName=state.id)
        return self.follow(state.id, before)

    def follow(self, stack_id: str, since: str = "") -> EventStream:
        """Yields each event after the event id `since`, until the change ends, and None after each poll."""
        seen = {since} if since else set()
        pause = FIRST_POLL_SECONDS
        while True:
            state = self.state(stack_id)
            for event in self._events(stack_id, since):
                if event.id not in seen:
                    seen.add(event.id)
                    yield event
            if state is None or not (state.in_progress or state.in_review):
                return
            yield None
            self._wait(pause)
            pause = min(pause * 1.5, MAX_POLL_SECONDS)

    def validation_errors(self, **identity: str) -> list[str]:
        """Errors that CloudFormation finds before it starts. They are not among the stack's events."""
        try:
            events = self._cloudformation.describe_events(**identity)["OperationEvents"]
        except ClientError:  # the permission may be missing; the failure is reported without details
            return []
        return [
            f"{event['LogicalResourceId']} ({event['ResourceType']}): {event['ValidationStatusReason']}"
            for event in events
            if event.get("EventType") == "VALIDATION_ERROR"
        ]

    def _last_event(self, stack_id: str) -> str:
        events = self._cloudformation.describe_stack_events(StackName=stack_id)["StackEvents"]
        return str(events[0]["EventId"]) if events else ""

    def _events(self, stack_id: str, since: str) -> list[StackEvent]:
        """Oldest first."""
        events: list[StackEvent] = []
        pages = self._cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack_id)
        for each in (event for page in pages for event in page["StackEvents"]):
            if each["EventId"] == since:
                break
            events.append(parse_event(each))
        return events[::-1]
