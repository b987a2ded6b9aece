"""The state of a CloudFormation stack, and its events."""

from dataclasses import dataclass
from typing import Any

from ecs.errors import NEXT_STEP_CREATE, InvalidUsage


@dataclass(frozen=True)
class StackState:
    id: str
    status: str
    reason: str
    parameters: dict[str, str]
    outputs: dict[str, str]

    @property
    def in_progress(self) -> bool:
        return self.status.endswith("_IN_PROGRESS") and not self.in_review

    @property
    def in_review(self) -> bool:
        """A change set was created for the stack and never executed: it has no resources."""
        return self.status == "REVIEW_IN_PROGRESS"

    @property
    def must_be_deleted(self) -> bool:
        """Its creation or deletion failed; CloudFormation can only delete it."""
        return self.status in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED")

    @property
    def rollback_failed(self) -> bool:
        """The rollback of an update failed; CloudFormation has to continue it before any other change."""
        return self.status == "UPDATE_ROLLBACK_FAILED"

    @property
    def complete(self) -> bool:
        return self.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE")


@dataclass(frozen=True)
class StackEvent:
    id: str
    at: Any
    logical_id: str
    type: str
    physical_id: str
    status: str
    reason: str

    @property
    def failed(self) -> bool:
        return self.status.endswith("_FAILED")


def parse_state(stack: dict[str, Any]) -> StackState:
    """Reads an entry of describe_stacks."""
    return StackState(
        id=stack["StackId"],
        status=stack["StackStatus"],
        reason=stack.get("StackStatusReason", ""),
        parameters={
            each["ParameterKey"]: each.get("ParameterValue", "") for each in stack.get("Parameters", [])
        },
        outputs={each["OutputKey"]: each.get("OutputValue", "") for each in stack.get("Outputs", [])},
    )


def parse_event(event: dict[str, Any]) -> StackEvent:
    """Reads an entry of describe_stack_events."""
    return StackEvent(
        id=event["EventId"],
        at=event["Timestamp"],
        logical_id=event.get("LogicalResourceId", ""),
        type=event.get("ResourceType", ""),
        physical_id=event.get("PhysicalResourceId", ""),
        status=event.get("ResourceStatus", ""),
        reason=event.get("ResourceStatusReason", ""),
    )


def require_stable(state: StackState | None, name: str) -> StackState:
    """Returns the state. Raises InvalidUsage unless the stack exists and can be changed."""
    if state is None or state.in_review:
        raise InvalidUsage(f"the stack {name} does not exist", NEXT_STEP_CREATE)
    if state.in_progress:
        raise InvalidUsage(
            f"{name} is being changed ({state.status})", "python -m ecs up follows the change to its end"
        )
    if state.must_be_deleted:
        raise InvalidUsage(
            f"a failed change left {name} in {state.status}", "python -m ecs up deletes and recreates it"
        )
    if state.rollback_failed:
        raise InvalidUsage(
            f"the rollback of {name} failed ({state.status})", "python -m ecs up continues the rollback"
        )
    return state
