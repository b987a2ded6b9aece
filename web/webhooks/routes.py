"""/v1/predictions/…/deliveries and /v1/batches/…/deliveries: the log, and sending again."""

import orjson

from jobs.batches import resource as batch_resource
from jobs.predictions import resource as prediction_resource
from jobs.webhooks.delivery import id_of, names_of
from jobs.webhooks.outbox import WebhookOutbox
from web.app import JsonResponse
from web.batch_submission import BatchSubmission
from web.errors import UnknownJob
from web.openapi.job_operations import ON_BATCHES, ON_PREDICTIONS, JobOperations
from web.openapi.operation import Operation, ResponseSchema
from web.openapi.parameters import in_path
from web.openapi.webhook_schemas import DeliveryListSchema, DeliverySchema
from web.prediction_submission import PredictionSubmission
from web.requests import ApiRequest, require_json_accepted
from web.routing import route


def _list(kind: JobOperations) -> Operation:
    page = ResponseSchema("The deliveries", DeliveryListSchema, always=("Cache-Control",))
    summary = f"List the deliveries of a {kind.one}'s webhook and events, with each attempt"
    return kind.on_one(f"list{kind.one.title()}Deliveries", summary, {200: page}, (406,))


def _redeliver(kind: JobOperations) -> Operation:
    return kind.on_one(
        f"redeliver{kind.one.title()}",
        f"Send the webhook or an event of a {kind.one} again, at once",
        {202: ResponseSchema("It will be sent", DeliverySchema, always=("Cache-Control",))},
        (406,),
        in_path("delivery_id", "`id` of the delivery", {"type": "string"}),
    )


class DeliveryRoutes:
    def __init__(
        self, predictions: PredictionSubmission, batches: BatchSubmission, outbox: WebhookOutbox
    ) -> None:
        self._predictions = predictions
        self._batches = batches
        self._outbox = outbox

    @route("GET", f"{prediction_resource.PATH}/<job_id>/deliveries", _list(ON_PREDICTIONS))
    def of_prediction(self, request: ApiRequest, job_id: str) -> JsonResponse:
        self._predictions.read(job_id, request.owner.name)
        return self._deliveries(request, job_id, prediction_resource.path_of(job_id))

    @route("GET", f"{batch_resource.PATH}/<job_id>/deliveries", _list(ON_BATCHES))
    def of_batch(self, request: ApiRequest, job_id: str) -> JsonResponse:
        self._batches.read(job_id, request.owner.name)
        return self._deliveries(request, job_id, batch_resource.path_of(job_id))

    @route(
        "POST",
        f"{prediction_resource.PATH}/<job_id>/deliveries/<delivery_id>/redeliver",
        _redeliver(ON_PREDICTIONS),
    )
    def redeliver_prediction(self, request: ApiRequest, job_id: str, delivery_id: str) -> JsonResponse:
        self._predictions.read(job_id, request.owner.name)
        return self._redeliver(request, job_id, delivery_id, prediction_resource.path_of(job_id))

    @route(
        "POST",
        f"{batch_resource.PATH}/<job_id>/deliveries/<delivery_id>/redeliver",
        _redeliver(ON_BATCHES),
    )
    def redeliver_batch(self, request: ApiRequest, job_id: str, delivery_id: str) -> JsonResponse:
        self._batches.read(job_id, request.owner.name)
        return self._redeliver(request, job_id, delivery_id, batch_resource.path_of(job_id))

    def _deliveries(self, request: ApiRequest, job_id: str, path: str) -> JsonResponse:
        require_json_accepted(request)
        request.job_id = job_id
        found = [delivery.resource(path) for delivery in self._outbox.of_job(job_id)]
        return _json({"object": "list", "data": found}, 200)

    def _redeliver(self, request: ApiRequest, job_id: str, delivery_id: str, path: str) -> JsonResponse:
        require_json_accepted(request)
        request.job_id = job_id
        for name in names_of(job_id):
            if delivery_id == id_of(name) and self._outbox.redeliver(name):
                delivery = self._outbox.read(name)
                if delivery:
                    return _json(delivery.resource(path), 202)
        raise UnknownJob("there is no such delivery; …/deliveries lists those of this job")


def _json(content: dict[str, object], status: int) -> JsonResponse:
    return JsonResponse(orjson.dumps(content), status, {"Cache-Control": "no-store"})
