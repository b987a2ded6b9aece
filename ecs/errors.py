"""What can go wrong on the way to AWS, in a line and a next step."""

from collections.abc import Iterator
from contextlib import contextmanager

MAKE_IT = "is --region, --profile or --stack another? else python -m ecs up makes it"
"""The next step where a deployment was looked for and is not there."""


class EcsError(Exception):
    """Base of every error raised on purpose. `status` is the exit status: 2 for what was asked wrongly."""

    def __init__(self, message: str, next_step: str = "", status: int = 1) -> None:
        super().__init__(message)
        self.next_step = next_step
        self.status = status


class BadInput(EcsError):
    """Cannot be done as it was asked for; nothing was changed."""

    def __init__(self, message: str, next_step: str = "") -> None:
        super().__init__(message, next_step, status=2)


class NotThere(BadInput):
    """The deployment, or a part of it, does not exist."""


class Declined(EcsError):
    """Whoever was asked said no."""


class Interrupted(EcsError):
    """Ctrl-C."""

    def __init__(self, message: str, next_step: str = "the same command again") -> None:
        super().__init__(message, next_step, status=130)


class ChangeFailed(EcsError):
    """AWS began the change and could not end it."""


@contextmanager
def watching(what: str) -> Iterator[None]:
    """Ctrl-C ends the watching alone: AWS goes on. Raises Interrupted."""
    try:
        yield
    except KeyboardInterrupt:
        raise Interrupted(
            f"no longer watching {what}; what AWS has begun goes on",
            "python -m ecs ps shows how things are; the same command again goes on from there",
        ) from None
