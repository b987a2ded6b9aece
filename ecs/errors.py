"""The errors of the command line: each has a message of one line, a next step and an exit status."""

from collections.abc import Iterator
from contextlib import contextmanager

NEXT_STEP_CREATE = (
    "check --region, --profile and --stack; if they are right, python -m ecs up creates the deployment"
)
"""For commands that need a deployment and find none."""


class EcsError(Exception):
    """Base class of all errors that the command line raises."""

    def __init__(self, message: str, next_step: str = "", status: int = 1) -> None:
        super().__init__(message)
        self.next_step = next_step
        self.status = status


class InvalidUsage(EcsError):
    """The command cannot be carried out as requested. Nothing was changed; the exit status is 2."""

    def __init__(self, message: str, next_step: str = "") -> None:
        super().__init__(message, next_step, status=2)


class ResourceNotFound(InvalidUsage):
    """The deployment, or a part of it, does not exist."""


class ConfirmationDeclined(EcsError):
    """The user answered no."""


class Interrupted(EcsError):
    """The user pressed Ctrl-C."""

    def __init__(self, message: str, next_step: str = "run the same command again") -> None:
        super().__init__(message, next_step, status=130)


class ChangeFailed(EcsError):
    """AWS started a change and could not complete it."""


@contextmanager
def detach_on_interrupt(watched: str) -> Iterator[None]:
    """Turns Ctrl-C into Interrupted. Only the watching stops; AWS continues."""
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(
            f"stopped watching {watched}; AWS continues the change",
            "python -m ecs ps shows the current state; run the same command again to resume watching",
        ) from None
