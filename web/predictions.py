"""/v1/predictions: create, show, list, cancel and delete."""

from collections.abc import Mapping

from jobs import ids
from jobs.predictions.record import PredictionRecord
from jobs.predictions.resource import PATH, path_of, prediction, retry_after, rows_left
from jobs.predictions.status import PredictionStatus
from model.description.catalog import Catalog
from web.app import JsonResponse
from web.capacity_watch import CapacityWatch
from web.lists import read_page_query, write_page
from web.openapi.job_operations import ON_PREDICTIONS
from web.openapi.model_schemas import ModelSchemas
from web.openapi.operation import Operation, ResponseSchema, json_body
from web.openapi.parameters import CANCEL_AFTER, IDEMPOTENCY_KEY, PREFER, WAIT
from web.openapi.schemas import PredictionListSchema, PredictionSchema
from web.prediction_submission import PredictionRequest, PredictionSubmission
from web.requests import ApiRequest, read_prediction, read_prefer_wait, read_query_wait, require_json_accepted
from web.routing import route
from web.webhooks.requests import WebhookRequests


def _link(operation: str, description: str) -> dict[str, object]:
    return {
        "operationId": operation,
        "description": description,
        "parameters": {"job_id": "$response.body#/id"},
    }


_ENDED_LINKS = {
    "show": _link("showPrediction", "Show the prediction as it is now"),
    "delete": _link("deletePrediction", "Delete it once it has ended"),
}
_LINKS = {**_ENDED_LINKS, "cancel": _link("cancelPrediction", "Cancel it")}


def _create(models: ModelSchemas) -> Operation:
    return Operation(
        "createPrediction",
        "predictions",
        "Score one row, or a list of rows",
        {
            200: ResponseSchema(
                "The prediction ended within the requested wait",
                PredictionSchema,
                always=("Preference-Applied", "Cache-Control"),
                sometimes=("Idempotency-Replayed",),
                links=_ENDED_LINKS,
            ),
            202: ResponseSchema(
                "Accepted: the prediction is recorded and queued",
                PredictionSchema,
                always=("Location", "Cache-Control"),
                sometimes=("Retry-After", "Idempotency-Replayed"),
                links=_LINKS,
            ),
        },
        (404, 406, 409, 413, 415, 422, 429, 501, 503),
        parameters=(PREFER, IDEMPOTENCY_KEY, CANCEL_AFTER),
        body=json_body(models.body, models.examples),
    )


class PredictionRoutes:
    def __init__(
        self,
        submission: PredictionSubmission,
        catalog: Catalog,
        watch: CapacityWatch,
        webhooks: WebhookRequests,
    ) -> None:
        self._submission = submission
        self._catalog = catalog
        self._watch = watch
        self._webhooks = webhooks

    @route("POST", PATH, _create)
    def create(self, request: ApiRequest) -> JsonResponse:
        require_json_accepted(request)
        seconds = read_prefer_wait(request, self._submission.longest_wait)
        record, replayed = self._submission.submit(self._read(request), request.owner.name, seconds)
        headers = {"Idempotency-Replayed": "true"} if replayed else {}
        if seconds and record.status.ended:
            return self._resource(request, record, 200, {"Preference-Applied": f"wait={seconds}", **headers})
        return self._resource(request, record, 202, {"Location": path_of(record.id), **headers})

    @route("GET", PATH, ON_PREDICTIONS.list("List your own predictions, newest first", PredictionListSchema))
    def list(self, request: ApiRequest) -> JsonResponse:
        require_json_accepted(request)
        query = read_page_query(request, ids.PREDICTION, PredictionStatus)
        records, cursor = self._submission.list(request.owner.name, query)
        resources = [prediction(record, self._watch.capacity) for record in records]
        page = write_page(resources, query, cursor, PATH)
        return JsonResponse(page, headers={"Cache-Control": "no-store"})

    @route(
        "GET",
        f"{PATH}/<job_id>",
        ON_PREDICTIONS.on_one(
            "showPrediction",
            "Show a prediction, or wait for its end",
            {
                200: ResponseSchema(
                    "The prediction", PredictionSchema, always=("Cache-Control",), sometimes=("Retry-After",)
                )
            },
            (406,),
            WAIT,
        ),
    )
    def show(self, request: ApiRequest, job_id: str) -> JsonResponse:
        require_json_accepted(request)
        seconds = read_query_wait(request, self._submission.longest_wait)
        record = self._submission.read(job_id, request.owner.name, seconds)
        return self._resource(request, record, 200)

    @route(
        "DELETE",
        f"{PATH}/<job_id>",
        ON_PREDICTIONS.on_one(
            "deletePrediction",
            "Delete a prediction that has ended, and its data",
            {204: ResponseSchema("The prediction is deleted")},
            (409,),
        ),
    )
    def delete(self, request: ApiRequest, job_id: str) -> JsonResponse:
        self._submission.delete(job_id, request.owner.name)
        request.job_id = job_id
        return JsonResponse(status=204)

    @route(
        "POST",
        f"{PATH}/<job_id>/cancel",
        ON_PREDICTIONS.on_one(
            "cancelPrediction",
            "Cancel a prediction that is queued",
            {200: ResponseSchema("The prediction is canceled", PredictionSchema, always=("Cache-Control",))},
            (406, 409),
        ),
    )
    def cancel(self, request: ApiRequest, job_id: str) -> JsonResponse:
        require_json_accepted(request)
        record = self._submission.cancel(job_id, request.owner.name)
        return self._resource(request, record, 200)

    def _read(self, request: ApiRequest) -> PredictionRequest:
        prediction_request = read_prediction(request, self._catalog, PATH)
        if not prediction_request.webhook:
            return prediction_request
        webhook = self._webhooks.accept(prediction_request.webhook, request.owner.name)
        return prediction_request._replace(webhook=webhook)

    def _resource(
        self,
        request: ApiRequest,
        record: PredictionRecord,
        status: int,
        headers: Mapping[str, str] | None = None,
    ) -> JsonResponse:
        request.job_id = record.id
        capacity = self._watch.capacity
        headers = {"Cache-Control": "no-store", **(headers or {})}
        if record.position:
            headers["Retry-After"] = str(retry_after(capacity, rows_left(record), record.explained))
        elif not record.status.ended:
            headers["Retry-After"] = "1"
        return JsonResponse(prediction(record, capacity), status, headers)
