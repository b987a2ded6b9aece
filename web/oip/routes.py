"""The routes under /v2."""

from collections.abc import Sequence
from typing import Any

import orjson

from jobs import RELEASE
from jobs.queues.capacity import Monitor
from model.description.catalog import Catalog
from model.description.features import Feature
from model.description.manifest import Manifest
from web.app import JsonResponse
from web.oip.elements import BYTES
from web.oip.outputs import describe_outputs
from web.oip.requests import read_inference
from web.oip.responses import inference_response
from web.oip.schemas import (
    INFER_REQUEST,
    IndexedSchema,
    InferenceSchema,
    LiveSchema,
    ModelMetadataSchema,
    ModelReadySchema,
    ReadySchema,
    ServerSchema,
)
from web.openapi.model_schemas import ModelSchemas
from web.openapi.operation import Operation, ResponseSchema, SameAs, json_body
from web.prediction_submission import PredictionRequest, PredictionSubmission
from web.requests import ApiRequest, require_json_accepted
from web.routing import route

SERVER = {"name": "paygrade", "version": RELEASE, "extensions": ["binary_tensor_data"]}
PLATFORM = "xgboost_ubj"
DATATYPE_OF_FEATURE = {
    "number": "FP64",
    "integer": "INT64",
    "boolean": "BOOL",
    "category": BYTES,
    "date": BYTES,
}
"""The datatype of each type of feature. Numbers are FP64: a limit may lie between two FP32 numbers."""

_MODEL = "/v2/models/<name>"
_VERSION = "/v2/models/<name>/versions/<version>"


def _operation(
    operation_id: str, summary: str, schema: Any, problems: Sequence[int] = (406,), **more: Any
) -> Operation:
    responses = {200: ResponseSchema(summary, schema)}
    return Operation(operation_id, "Open Inference Protocol", summary, responses, problems, **more)


def _describe_model(models: ModelSchemas) -> Operation:
    return _operation(
        "oipModel",
        "Show the tensors of a model",
        ModelMetadataSchema,
        (406, 404),
        parameters=(models.in_path,),
    )


def _describe_ready(models: ModelSchemas) -> Operation:
    return _operation(
        "oipModelReady",
        "Check that a model can be used",
        ModelReadySchema,
        (406, 404, 503),
        parameters=(models.in_path,),
    )


def _describe_infer(models: ModelSchemas) -> Operation:
    scores = ResponseSchema("The scores", InferenceSchema, alternatives=("application/octet-stream",))
    return Operation(
        "oipInfer",
        "Open Inference Protocol",
        "Score rows",
        {200: scores},
        (404, 406, 413, 415, 422, 429, 501, 503),
        "A tensor for each feature; one of shape [n] has n rows. Tensors can be sent and returned as bytes.",
        parameters=(models.in_path,),
        body=json_body(INFER_REQUEST, _infer_examples(models)),
    )


def _infer_examples(models: ModelSchemas) -> dict[str, Any]:
    newest = [models.newest(name) for name in dict.fromkeys(each.name for each in models.manifests)]
    return {
        manifest.name: {"summary": f"for {manifest.name}", "value": _infer_example(manifest)}
        for manifest in newest
        if manifest and manifest.examples
    }


def _infer_example(manifest: Manifest) -> dict[str, Any]:
    row = manifest.examples[0]
    return {
        "inputs": [
            {
                "name": feature.name,
                "shape": [1],
                "datatype": DATATYPE_OF_FEATURE[feature.type],
                "data": [row[feature.name]],
            }
            for feature in manifest.schema.features
        ]
    }


class InferenceRoutes:
    def __init__(self, submission: PredictionSubmission, catalog: Catalog, monitor: Monitor) -> None:
        self._submission = submission
        self._catalog = catalog
        self._monitor = monitor

    @route("GET", "/v2/health/live", _operation("oipLive", "Check that the process runs", LiveSchema, ()))
    def live(self, request: ApiRequest) -> JsonResponse:
        return _json({"live": True})

    @route(
        "GET",
        "/v2/health/ready",
        _operation("oipReady", "Check that Redis is available", ReadySchema, (503,)),
    )
    def ready(self, request: ApiRequest) -> JsonResponse:
        self._monitor.ping()
        return _json({"ready": True})

    @route("GET", "/v2", _operation("oipServer", "Show the server", ServerSchema))
    @route("GET", "/v2/", SameAs("/v2"))
    def server(self, request: ApiRequest) -> JsonResponse:
        require_json_accepted(request)
        return _json(SERVER)

    @route(
        "POST",
        "/v2/repository/index",
        _operation("oipIndex", "List every version that is served", list[IndexedSchema]),
    )
    def index(self, request: ApiRequest) -> JsonResponse:
        """Bundles that could not be read are not listed: the reasons name directories."""
        require_json_accepted(request)
        catalog = self._catalog
        versions = [(name, version) for name in catalog.names() for version in catalog.versions(name)]
        ready = {"state": "READY", "reason": ""}
        return _json([{"name": name, "version": str(version), **ready} for name, version in versions])

    @route("GET", _MODEL, _describe_model)
    @route("GET", _VERSION, SameAs(_MODEL))
    def model(self, request: ApiRequest, name: str, version: str | None = None) -> JsonResponse:
        require_json_accepted(request)
        manifest = self._find(name, version)
        metadata = {
            "name": manifest.name,
            "versions": [str(version) for version in self._catalog.versions(manifest.name)],
            "platform": PLATFORM,
            "inputs": [_describe_feature(feature) for feature in manifest.schema.features],
            "outputs": describe_outputs(manifest),
        }
        return _json(metadata)

    @route("GET", f"{_MODEL}/ready", _describe_ready)
    @route("GET", f"{_VERSION}/ready", SameAs(f"{_MODEL}/ready"))
    def model_ready(self, request: ApiRequest, name: str, version: str | None = None) -> JsonResponse:
        require_json_accepted(request)
        manifest = self._find(name, version)
        self._monitor.ping()
        return _json({"name": manifest.name, "ready": True})

    @route("POST", f"{_MODEL}/infer", _describe_infer)
    @route("POST", f"{_VERSION}/infer", SameAs(f"{_MODEL}/infer"))
    def infer(self, request: ApiRequest, name: str, version: str | None = None) -> JsonResponse:
        manifest = self._find(name, version)
        inference = read_inference(request, manifest)
        if not any(inference.outputs.values()):
            require_json_accepted(request)
        rows = inference.rows
        prediction_request = PredictionRequest(
            manifest, rows, len(rows), metadata={}, request_id=request.id, traceparent=request.traceparent
        )
        scored = self._submission.score_or_cancel(prediction_request, request.owner.name)
        return inference_response(inference, manifest, scored)

    def _find(self, name: str, version: str | None) -> Manifest:
        return self._catalog.find(name if version is None else f"{name}@{version}")


def _describe_feature(feature: Feature) -> dict[str, Any]:
    """A nullable integer is FP64, since NaN stands for a missing value and INT64 has none."""
    missing_integer = feature.nullable and feature.type == "integer"
    datatype = "FP64" if missing_integer else DATATYPE_OF_FEATURE[feature.type]
    return {"name": feature.name, "datatype": datatype, "shape": [-1]}


def _json(body: Any) -> JsonResponse:
    return JsonResponse(orjson.dumps(body))
