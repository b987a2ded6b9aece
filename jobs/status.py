"""The states of a job, and which may follow which."""

from enum import StrEnum


class Status(StrEnum):
    QUEUED = "queued"
    """Accepted and in the line; also a job that its worker lost and that waits to run again."""
    RUNNING = "running"
    """Claimed by a worker."""
    SUCCEEDED = "succeeded"
    """Every row was scored."""
    PARTIALLY_SUCCEEDED = "partially_succeeded"
    """Some rows were scored; the others say why not."""
    FAILED = "failed"
    """No row was scored; the error says why."""
    CANCELED = "canceled"
    """Withdrawn by its caller before a worker claimed it."""
    EXPIRED = "expired"
    """Not started by its deadline."""

    @property
    def ended(self) -> bool:
        return not FOLLOWING[self]


_ENDS = {Status.SUCCEEDED, Status.PARTIALLY_SUCCEEDED, Status.FAILED}

FOLLOWING: dict[Status, frozenset[Status]] = {
    Status.QUEUED: frozenset({Status.RUNNING, Status.CANCELED, Status.EXPIRED}),
    Status.RUNNING: frozenset({Status.QUEUED, *_ENDS}),
    Status.SUCCEEDED: frozenset(),
    Status.PARTIALLY_SUCCEEDED: frozenset(),
    Status.FAILED: frozenset(),
    Status.CANCELED: frozenset(),
    Status.EXPIRED: frozenset(),
}
