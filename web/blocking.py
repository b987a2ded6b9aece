"""For callers who wait for their scores, and know of no job."""

from typing import NamedTuple

import orjson

from jobs.predictions.status import PredictionStatus
from web.body import PredictionRequest
from web.keys import Owner
from web.predictions import PredictionRoutes, new_job
from web.preferences import LONGEST_SECONDS
from web.problems import Problem


class Scored(NamedTuple):
    job_id: str
    outputs: bytes


def score(predictions: PredictionRoutes, asked: PredictionRequest, owner: Owner) -> Scored:
    """Raises Problem (503) if there is nothing to answer in time; what was not begun is canceled then."""
    if not predictions.waiting.open_to_more:
        raise Problem(503, "too many callers wait here", headers={"Retry-After": "1"})
    record = predictions.add(new_job(asked, owner), LONGEST_SECONDS)
    if record.outputs:
        return Scored(record.id, record.outputs)
    if record.status.ended:
        reason = orjson.loads(record.error or b"{}").get("detail", "the job was canceled")
    elif predictions.store.cancel(record.id) is PredictionStatus.CANCELED:
        reason = "no worker took it in time; the job is canceled"
    else:
        reason = "it was not scored in time"
    capacity = predictions.door.capacity
    raise Problem(503, reason, headers={"Retry-After": str(capacity.retry_after(capacity.rows))})
