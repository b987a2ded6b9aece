"""The record of a prediction: what Redis keeps of it."""

from dataclasses import dataclass
from typing import Any, NamedTuple, TypeAlias

from jobs.predictions.status import PredictionStatus
from jobs.queues.ended import JobEnded
from jobs.queues.idempotency import IdempotencyKey

Row: TypeAlias = list[Any]
"""The values of one row, in the order of the model's features."""


@dataclass(slots=True)
class NewPrediction:
    """A prediction as admission accepts it; inputs and metadata are JSON.

    `watcher` is the channel of a web process with a caller that waits, empty if none does.
    `webhook` is as Receiver.stored has it, `retry_of` the job that this one tries again; both may be empty.
    `explained_values` is the number of values to explain, 0 for none. `request_id` is for the log only.
    """

    id: str
    model: str
    sha256: str
    owner: str
    inputs: bytes
    rows: int
    metadata: bytes = b""
    watcher: str = ""
    start_within_ms: int | None = None
    idempotency: IdempotencyKey | None = None
    explained_values: int = 0
    request_id: str = ""
    webhook: str = ""
    retry_of: str = ""
    traceparent: str = ""


class Accepted(NamedTuple):
    """The new job waits behind `rows_ahead` rows; if `replayed`, `id` is the job of an earlier request."""

    id: str
    rows_ahead: int = 0
    deadline: int | None = None
    replayed: bool = False


class PredictionRecord(NamedTuple):
    """Times are milliseconds since 1970, UTC; `outputs` and `error` are JSON, as callers see them.

    `position` is the position of a queued job in its queue, counted in rows from 1.
    """

    id: str
    status: PredictionStatus
    model: str
    sha256: str
    owner: str
    attempt: int
    started: int | None
    finished: int | None
    expires: int | None
    outputs: bytes | None
    error: bytes | None
    metadata: bytes
    deadline: int | None = None
    position: int | None = None
    explained: bool = False
    rows: int = 1
    retry_of: str = ""

    def after(self, message: JobEnded) -> "PredictionRecord":
        """The record after its job has ended, from an inlined message."""
        return self._replace(
            status=PredictionStatus(message.status),
            attempt=message.attempt,
            started=message.started,
            finished=message.finished,
            expires=message.expires,
            outputs=message.outputs or None,
            error=message.error or None,
            position=None,
        )
