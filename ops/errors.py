"""Why a command failed."""

from jobs.errors import JobsError


class CommandFailed(JobsError):
    """The command was carried out, and the answer is no; exit status 1."""


class RedisRefused(JobsError):
    """Redis answered with an error, or is not a Redis that Paygrade can use; exit status 2."""
