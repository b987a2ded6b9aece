"""The statuses of a prediction, and which may follow which."""

from enum import StrEnum


class PredictionStatus(StrEnum):
    QUEUED = "queued"
    """It waits in its queue: it was accepted, or its worker was lost."""
    RUNNING = "running"
    """Claimed by a worker."""
    SUCCEEDED = "succeeded"
    """Every row was scored."""
    PARTIALLY_SUCCEEDED = "partially_succeeded"
    """Some rows were scored; the others have errors."""
    FAILED = "failed"
    """No row was scored; the error says why."""
    CANCELED = "canceled"
    """Canceled by its caller before a worker claimed it."""
    EXPIRED = "expired"
    """Not started by its deadline."""

    ended: bool


_ENDS = {PredictionStatus.SUCCEEDED, PredictionStatus.PARTIALLY_SUCCEEDED, PredictionStatus.FAILED}

TRANSITIONS: dict[PredictionStatus, frozenset[PredictionStatus]] = {
    PredictionStatus.QUEUED: frozenset(
        {PredictionStatus.RUNNING, PredictionStatus.CANCELED, PredictionStatus.EXPIRED}
    ),
    PredictionStatus.RUNNING: frozenset({PredictionStatus.QUEUED, *_ENDS}),
    PredictionStatus.SUCCEEDED: frozenset(),
    PredictionStatus.PARTIALLY_SUCCEEDED: frozenset(),
    PredictionStatus.FAILED: frozenset(),
    PredictionStatus.CANCELED: frozenset(),
    PredictionStatus.EXPIRED: frozenset(),
}

for _status, _following in TRANSITIONS.items():
    _status.ended = not _following
