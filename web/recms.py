"""POST /recms: the call of the article that this project grew from, served through the queue."""

import orjson

from model.description.catalog import Catalog
from web.app import JsonResponse
from web.openapi.model_schemas import ModelSchemas
from web.openapi.operation import Operation, ResponseSchema, json_body
from web.openapi.schemas import SalarySchema
from web.prediction_submission import PredictionRequest, PredictionSubmission
from web.requests import ApiRequest, parse_json, read_json_body, require_json_accepted
from web.routing import route

MODEL = "salary"


def _describe(models: ModelSchemas) -> Operation:
    """Describes the route with the rows of the version that it scores with; without it, no row is valid."""
    manifest = models.preferred(MODEL)
    schema = models.row(manifest) if manifest else {"type": "object"}
    rows = manifest.examples if manifest else []
    examples = {"row": {"summary": "a row", "value": rows[0]}} if rows else {}
    return Operation(
        "recms",
        "predictions",
        f"Score one row with the model {MODEL}, and wait for the score",
        {200: ResponseSchema("The score", SalarySchema)},
        (404, 406, 413, 415, 422, 429, 501, 503),
        body=json_body(schema, examples),
    )


class RecmsRoutes:
    def __init__(self, submission: PredictionSubmission, catalog: Catalog) -> None:
        self._submission = submission
        self._catalog = catalog

    @route("POST", "/recms", _describe)
    def score(self, request: ApiRequest) -> JsonResponse:
        require_json_accepted(request)
        row = parse_json(read_json_body(request))
        manifest = self._catalog.find_preferred(MODEL)
        values = manifest.schema.check_row(row, pointer="")
        prediction_request = PredictionRequest(
            manifest, values, rows=1, metadata={}, request_id=request.id, traceparent=request.traceparent
        )
        scored = self._submission.score_or_cancel(prediction_request, request.owner.name)
        return JsonResponse(salary_of(scored.outputs))


def salary_of(output: bytes) -> bytes:
    """The score as text, with the digits that were recorded."""
    digits = output.partition(b'{"prediction":')[2].partition(b",")[0].rstrip(b"}")
    return orjson.dumps({"salary": digits.decode()})
