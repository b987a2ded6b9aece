"""POST /recms: the call of the article that this grew from, through the queue and with honest errors."""

import orjson
from flask import Blueprint, Response, request

from jobs.status import Status
from web.body import PredictionBody, read_json
from web.predictions import Predictions, new_job
from web.preferences import LONGEST_SECONDS, require_json_wanted
from web.problems import LINE_FULL_RETRY_SECONDS, Problem

MODEL = "salary"


def recms(predictions: Predictions) -> Blueprint:
    routes = Blueprint("recms", __name__)

    @routes.post("/recms")
    def score() -> Response:
        owner = predictions.keys.owner_of(request)
        require_json_wanted(request)
        row = read_json(request)
        if not isinstance(row, dict):
            raise Problem(422, 'send one row, as in {"years": "2.5"}')
        body = PredictionBody.model_construct(model=MODEL, inputs=row)
        job = new_job(body, predictions.catalog.find(MODEL), owner.name)
        record = predictions.add(job, LONGEST_SECONDS)
        if record.status is Status.SUCCEEDED and record.outputs:
            return Response(salary_of(record.outputs), mimetype="application/json")
        if not record.status.ended:
            predictions.store.cancel(job.id)
            retry = {"Retry-After": str(LINE_FULL_RETRY_SECONDS)}
            raise Problem(503, f"not scored within {LONGEST_SECONDS} s; the job is canceled", headers=retry)
        raise Problem(503, orjson.loads(record.error or b"{}").get("detail", "the job failed"))

    return routes


def salary_of(output: bytes) -> bytes:
    """The score as text, in the digits in which it was recorded."""
    digits = output.partition(b'{"prediction":')[2].partition(b",")[0].rstrip(b"}")
    return orjson.dumps({"salary": digits.decode()})
