"""What can go wrong on the way to AWS, in a line and a next step."""


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


class ChangeFailed(EcsError):
    """AWS began the change and could not end it."""
