"""POST /recms: the call of the article that this grew from, through the queue and with honest errors."""

import orjson
from flask import Blueprint, Response, request

from web.answer import Answer
from web.blocking import score
from web.body import PredictionRequest, read_json
from web.predictions import PredictionRoutes
from web.preferences import require_json_wanted

MODEL = "salary"


def recms(predictions: PredictionRoutes) -> Blueprint:
    routes = Blueprint("recms", __name__)

    @routes.post("/recms")
    def salary() -> Response:
        owner = predictions.keys.owner_of(request)
        require_json_wanted(request)
        row = read_json(request)
        manifest = predictions.catalog.find(MODEL)
        asked = PredictionRequest(manifest, manifest.schema.check_row(row, pointer=""), rows=1, metadata={})
        return Answer(salary_of(score(predictions, asked, owner).outputs))

    return routes


def salary_of(output: bytes) -> bytes:
    """The score as text, in the digits in which it was recorded."""
    digits = output.partition(b'{"prediction":')[2].partition(b",")[0].rstrip(b"}")
    return orjson.dumps({"salary": digits.decode()})
