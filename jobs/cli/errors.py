"""Why a command did not do what was asked; the status it then exits with is in jobs/__main__.py."""

from jobs.errors import JobsError


class NotSo(JobsError):
    """What was asked for is not so: it is not there, it failed, it is too late."""


class CannotAsk(JobsError):
    """There is nobody to ask, or not in this way."""


class AskLater(CannotAsk):
    """The same request may be repeated, after so many seconds."""

    def __init__(self, message: str, seconds: float) -> None:
        super().__init__(message)
        self.seconds = seconds
