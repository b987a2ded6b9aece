"""POST /recms: the call of the article that this grew from, through the queue and with honest errors."""

from typing import NoReturn

import orjson
from flask import Blueprint, Response, request

from jobs.record import Record
from jobs.status import Status
from web.answer import Answer
from web.body import Asked, read_json
from web.predictions import Predictions, new_job
from web.preferences import LONGEST_SECONDS, require_json_wanted
from web.problems import Problem

MODEL = "salary"


def recms(predictions: Predictions) -> Blueprint:
    routes = Blueprint("recms", __name__)

    @routes.post("/recms")
    def score() -> Response:
        owner = predictions.keys.owner_of(request)
        require_json_wanted(request)
        row = read_json(request)
        manifest = predictions.catalog.find(MODEL)
        asked = Asked(manifest, manifest.schema.check_row(row, pointer=""), rows=1, metadata={})
        if not predictions.waiting.open_to_more:
            raise Problem(503, "too many callers wait here", headers={"Retry-After": "1"})
        record = predictions.add(new_job(asked, owner), LONGEST_SECONDS)
        if record.status is Status.SUCCEEDED and record.outputs:
            return Answer(salary_of(record.outputs))
        _not_scored(predictions, record)

    return routes


def salary_of(output: bytes) -> bytes:
    """The score as text, in the digits in which it was recorded."""
    digits = output.partition(b'{"prediction":')[2].partition(b",")[0].rstrip(b"}")
    return orjson.dumps({"salary": digits.decode()})


def _not_scored(predictions: Predictions, record: Record) -> NoReturn:
    if record.status.ended:
        reason = orjson.loads(record.error or b"{}").get("detail", "the job was canceled")
    elif predictions.store.cancel(record.id) is Status.CANCELED:
        reason = "no worker took it in time; the job is canceled"
    else:
        reason = "it was not scored in time"
    capacity = predictions.door.capacity
    raise Problem(503, reason, headers={"Retry-After": str(capacity.retry_after(capacity.rows))})
