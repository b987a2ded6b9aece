"""One CloudFormation stack: how it is, what would change, and what happens to it."""

import time
import uuid
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from ecs.aws import message_of
from ecs.changes import Change, changes_of
from ecs.errors import EcsError
from ecs.state import Event, State, event_of, state_of
from ecs.template import Template

_NO_CHANGE = ("didn't contain changes", "No updates are to be performed")
Following = Iterator[Event | None]
LOOKS_EVERY_SECONDS = (0.25, 3.0)
"""From the first look on, and when a change takes long."""


@dataclass
class ChangeSet:
    name: str
    stack_id: str
    changes: list[Change]
    executed: bool = False


class Stack:
    def __init__(self, cloudformation: Any, name: str, wait: Callable[[float], None] = time.sleep) -> None:
        self.name = name
        self._cloudformation = cloudformation
        self._wait = wait

    def state(self, stack_id: str | None = None) -> State | None:
        """None if there is no such stack. By its id a stack that was deleted is still found."""
        try:
            [stack] = self._cloudformation.describe_stacks(StackName=stack_id or self.name)["Stacks"]
        except ClientError as error:
            if "does not exist" in message_of(error):
                return None
            raise
        if stack["StackStatus"] == "DELETE_COMPLETE" and not stack_id:
            return None
        return state_of(stack)

    def kept(self) -> dict[str, str]:
        """The parameters that an update keeps where it is given no others."""
        state = self.state()
        return state.parameters if state and not (state.empty or state.remnant) else {}

    @contextmanager
    def change_set(self, template: Template | None, given: Mapping[str, str]) -> Iterator[ChangeSet | None]:
        """What would change; None if nothing. Without a template the one that the stack has.

        Not executed within the block, it leaves nothing behind.
        """
        state = self.state()
        creating = state is None or state.empty
        arguments = self._arguments(template, given, None if creating else state)
        name = f"paygrade-{uuid.uuid4().hex[:12]}"
        answer = self._cloudformation.create_change_set(
            **self._called(name),
            ChangeSetType="CREATE" if creating else "UPDATE",
            Capabilities=["CAPABILITY_IAM"],
            **({"OnStackFailure": "DELETE"} if creating else {}),
            **arguments,
        )
        change_set = ChangeSet(name, answer["StackId"], [])
        try:
            if self._changes(change_set):
                yield change_set
            else:
                yield None
        finally:
            if not change_set.executed:
                self._forget(change_set, with_stack=creating)

    def _called(self, change_set: str) -> dict[str, str]:
        """Not by its ARN, which rights on the stack do not cover."""
        return {"StackName": self.name, "ChangeSetName": change_set}

    def _arguments(
        self, template: Template | None, given: Mapping[str, str], state: State | None
    ) -> dict[str, Any]:
        """What is not given stays as it is, or else gets the template's default."""
        before = state.parameters if state else {}
        names = set(template.parameters) if template else set(before)
        parameters: list[dict[str, Any]] = [
            {"ParameterKey": name, "ParameterValue": given[name]}
            if name in given
            else {"ParameterKey": name, "UsePreviousValue": True}
            for name in sorted(names)
            if name in given or name in before
        ]
        body = {"TemplateBody": template.body} if template else {"UsePreviousTemplate": True}
        return {"Parameters": parameters, **body}

    def _changes(self, change_set: ChangeSet) -> bool:
        """Waits until CloudFormation has compared; raises EcsError, in its words, if it could not."""
        called = self._called(change_set.name)
        while True:
            described = self._cloudformation.describe_change_set(**called)
            if described["Status"] not in ("CREATE_PENDING", "CREATE_IN_PROGRESS"):
                break
            self._wait(0.5)
        if described["Status"] == "FAILED":
            reason = described.get("StatusReason", "")
            if any(words in reason for words in _NO_CHANGE):
                return False
            refused = "; ".join(self.refusals(**called))
            raise EcsError(
                f"{self.name} cannot be changed so: {refused or reason}",
                "mend that, or leave out the option that asks for it; nothing was changed",
            )
        pages = [described]
        while token := pages[-1].get("NextToken"):
            pages.append(self._cloudformation.describe_change_set(**called, NextToken=token))
        change_set.changes = [change for page in pages for change in changes_of(page)]
        return True

    def _forget(self, change_set: ChangeSet, with_stack: bool) -> None:
        with suppress(ClientError):
            self._cloudformation.delete_change_set(**self._called(change_set.name))
            if with_stack and self._is_nobodys(change_set):
                self._cloudformation.delete_stack(StackName=change_set.stack_id)

    def _is_nobodys(self, change_set: ChangeSet) -> bool:
        """Whether the stack was made for this change set alone, and for none of another terminal's."""
        state = self.state(change_set.stack_id)
        if state is None or not state.empty:
            return False
        waiting = self._cloudformation.list_change_sets(StackName=change_set.stack_id)["Summaries"]
        return all(each["ChangeSetName"] == change_set.name for each in waiting)

    def execute(self, change_set: ChangeSet) -> Following:
        """Begins the change; the events are followed as they are iterated over."""
        before = self._last_event(change_set.stack_id)
        self._cloudformation.execute_change_set(**self._called(change_set.name))
        change_set.executed = True
        return self.follow(change_set.stack_id, before)

    def delete(self) -> Following:
        state = self.state()
        if state is None:
            return iter(())
        before = self._last_event(state.id)
        self._cloudformation.delete_stack(StackName=state.id)
        return self.follow(state.id, before)

    def continue_rollback(self) -> Following:
        state = self.state()
        if state is None:
            return iter(())
        before = self._last_event(state.id)
        self._cloudformation.continue_update_rollback(StackName=state.id)
        return self.follow(state.id, before)

    def follow(self, stack_id: str, since: str = "") -> Following:
        """Each event after the one with this id, until nothing moves any more; None for each look."""
        seen = {since} if since else set()
        pause, longest = LOOKS_EVERY_SECONDS
        while True:
            state = self.state(stack_id)
            for event in self._events(stack_id, since):
                if event.id not in seen:
                    seen.add(event.id)
                    yield event
            if state is None or not (state.moving or state.empty):
                return
            yield None
            self._wait(pause)
            pause = min(pause * 1.5, longest)

    def refusals(self, **of: str) -> list[str]:
        """What CloudFormation found wrong before it began; that is not among the stack's events."""
        try:
            events = self._cloudformation.describe_events(**of)["OperationEvents"]
        except ClientError:  # rights may be missing, and the failure is told of without them
            return []
        return [
            f"{event['LogicalResourceId']} ({event['ResourceType']}): {event['ValidationStatusReason']}"
            for event in events
            if event.get("EventType") == "VALIDATION_ERROR"
        ]

    def _last_event(self, stack_id: str) -> str:
        events = self._cloudformation.describe_stack_events(StackName=stack_id)["StackEvents"]
        return str(events[0]["EventId"]) if events else ""

    def _events(self, stack_id: str, since: str) -> list[Event]:
        """Oldest first."""
        found: list[Event] = []
        pages = self._cloudformation.get_paginator("describe_stack_events").paginate(StackName=stack_id)
        for each in (event for page in pages for event in page["StackEvents"]):
            if each["EventId"] == since:
                break
            found.append(event_of(each))
        return found[::-1]
