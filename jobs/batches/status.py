"""The statuses of a batch, and which may follow which."""

from enum import StrEnum


class BatchStatus(StrEnum):
    VALIDATING = "validating"
    """Accepted; no worker has read its file yet."""
    QUEUED = "queued"
    """Its file is a table, and at least partly cut into chunks; none of them has been claimed yet."""
    RUNNING = "running"
    FINALIZING = "finalizing"
    """Every chunk is done; the parts are being joined."""
    SUCCEEDED = "succeeded"
    """Every row was scored; of a dry run, the preview is complete."""
    PARTIALLY_SUCCEEDED = "partially_succeeded"
    """Some rows were scored; the others have errors."""
    FAILED = "failed"
    """No row was scored, or a part of the file could not be read or scored; the error says why."""
    CANCELING = "canceling"
    """It ends as soon as the chunks that are being scored are done or given up."""
    CANCELED = "canceled"
    """Canceled by its caller; what was scored before is kept, unless its parts were being joined."""
    EXPIRED = "expired"
    """Not started by its deadline."""

    ended: bool


_S = BatchStatus

BATCH_TRANSITIONS: dict[BatchStatus, frozenset[BatchStatus]] = {
    _S.VALIDATING: frozenset({_S.QUEUED, _S.SUCCEEDED, _S.FAILED, _S.CANCELED, _S.EXPIRED}),
    _S.QUEUED: frozenset({_S.RUNNING, _S.FINALIZING, _S.FAILED, _S.CANCELED, _S.EXPIRED}),
    _S.RUNNING: frozenset({_S.FINALIZING, _S.CANCELING, _S.FAILED}),
    _S.FINALIZING: frozenset({_S.RUNNING, _S.SUCCEEDED, _S.PARTIALLY_SUCCEEDED, _S.FAILED, _S.CANCELED}),
    _S.CANCELING: frozenset({_S.CANCELED, _S.FAILED}),
    _S.SUCCEEDED: frozenset(),
    _S.PARTIALLY_SUCCEEDED: frozenset(),
    _S.FAILED: frozenset(),
    _S.CANCELED: frozenset(),
    _S.EXPIRED: frozenset(),
}
"""Only a dry run goes from VALIDATING to SUCCEEDED, and only what cannot be read from RUNNING to FAILED.

A damaged part leads from FINALIZING back to RUNNING. Only several files of which none could be read go from
QUEUED to FINALIZING.
"""

for _status, _following in BATCH_TRANSITIONS.items():
    _status.ended = not _following
