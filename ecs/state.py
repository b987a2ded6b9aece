"""How a stack is, and what happened to it."""

from dataclasses import dataclass
from typing import Any

from ecs.errors import MAKE_IT, BadInput


@dataclass(frozen=True)
class State:
    id: str
    status: str
    reason: str
    parameters: dict[str, str]
    outputs: dict[str, str]

    @property
    def moving(self) -> bool:
        return self.status.endswith("_IN_PROGRESS") and not self.empty

    @property
    def empty(self) -> bool:
        """A change set was made for it and never executed."""
        return self.status == "REVIEW_IN_PROGRESS"

    @property
    def remnant(self) -> bool:
        """Left of a creation or deletion that failed: it can only be removed."""
        return self.status in ("ROLLBACK_COMPLETE", "ROLLBACK_FAILED", "CREATE_FAILED", "DELETE_FAILED")

    @property
    def stuck(self) -> bool:
        """On its way back from an update that failed; it cannot be changed before it has gone on."""
        return self.status == "UPDATE_ROLLBACK_FAILED"

    @property
    def good(self) -> bool:
        return self.status in ("CREATE_COMPLETE", "UPDATE_COMPLETE", "IMPORT_COMPLETE")


@dataclass(frozen=True)
class Event:
    id: str
    at: Any
    logical: str
    type: str
    physical: str
    status: str
    reason: str

    @property
    def failed(self) -> bool:
        return self.status.endswith("_FAILED")


def state_of(stack: dict[str, Any]) -> State:
    """From what describe_stacks says of it."""
    return State(
        id=stack["StackId"],
        status=stack["StackStatus"],
        reason=stack.get("StackStatusReason", ""),
        parameters={
            each["ParameterKey"]: each.get("ParameterValue", "") for each in stack.get("Parameters", [])
        },
        outputs={each["OutputKey"]: each.get("OutputValue", "") for each in stack.get("Outputs", [])},
    )


def event_of(event: dict[str, Any]) -> Event:
    return Event(
        id=event["EventId"],
        at=event["Timestamp"],
        logical=event.get("LogicalResourceId", ""),
        type=event.get("ResourceType", ""),
        physical=event.get("PhysicalResourceId", ""),
        status=event.get("ResourceStatus", ""),
        reason=event.get("ResourceStatusReason", ""),
    )


def needs(state: State | None, name: str) -> State:
    """Raises BadInput unless the stack is there and at rest."""
    if state is None or state.empty:
        raise BadInput(f"there is no {name}", MAKE_IT)
    if state.moving:
        raise BadInput(
            f"{name} is being changed ({state.status})", "python -m ecs up follows that to its end"
        )
    if state.remnant:
        raise BadInput(
            f"{name} is what a failed change has left ({state.status})",
            "python -m ecs up removes it and begins again",
        )
    if state.stuck:
        raise BadInput(
            f"{name} got stuck on its way back ({state.status})", "python -m ecs up goes on with it"
        )
    return state
