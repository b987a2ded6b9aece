"""The routes under /v2."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from jobs import RELEASE
from jobs.queues.capacity import Monitor
from model.description.catalog import Catalog
from model.description.features import Feature
from model.description.json_schema import feature_schema
from model.description.manifest import Manifest
from web.app import ApiRequest, JsonResponse
from web.oip.elements import BYTES, DATATYPES
from web.oip.outputs import describe_outputs
from web.oip.requests import read_inference
from web.oip.responses import inference_response
from web.oip.schemas import (
    IndexedSchema,
    InferenceSchema,
    LiveSchema,
    ModelMetadataSchema,
    ModelReadySchema,
    ReadySchema,
    ServerSchema,
)
from web.openapi.markdown import with_plain_description
from web.openapi.model_schemas import ModelSchemas
from web.openapi.operation import Describe, Operation, ResponseSchema, json_body
from web.openapi.parameters import in_path
from web.requests import require_json_accepted
from web.routing import route
from web.submission import PredictionRequest, PredictionSubmission

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
_VERSION_OR_ALIAS = "^([1-9][0-9]{0,8}|[a-z][a-z0-9_-]{0,62})$"


def _operation(
    operation_id: str, summary: str, schema: Any, problems: Sequence[int] = (406,), **more: Any
) -> Operation:
    responses = {200: ResponseSchema(summary, schema)}
    return Operation(operation_id, "Open Inference Protocol", summary, responses, problems, **more)


def _of_model(
    operation_id: str, summary: str, schema: Any, problems: Sequence[int]
) -> tuple[Describe, Describe]:
    """Describes a route of a model, and the same route of a version."""

    def describe(models: ModelSchemas, with_version: bool) -> Iterator[Operation]:
        names = sorted({manifest.name for manifest in models.manifests})
        refs = {ref for manifest in models.manifests for ref in models.refs_of(manifest)}
        name = in_path("name", "Name of a model", {"enum": names if with_version else sorted(refs)})
        version = in_path(
            "version", "A version of the model, or an alias", {"type": "string", "pattern": _VERSION_OR_ALIAS}
        )
        suffix, parameters = ("Version", (name, version)) if with_version else ("", (name,))
        yield _operation(f"{operation_id}{suffix}", summary, schema, problems, parameters=parameters)

    return lambda models: describe(models, False), lambda models: describe(models, True)


def _describe_infer(models: ModelSchemas) -> Iterator[Operation]:
    for manifest in models.manifests:
        for ref in models.refs_of(manifest):
            if ref != manifest.ref:  # a version has a route of its own
                yield _infer(manifest, ref, f"/v2/models/{ref}/infer")


def _describe_infer_version(models: ModelSchemas) -> Iterator[Operation]:
    for manifest in models.manifests:
        for which in (manifest.version, *models.aliases_of(manifest)):
            path = f"/v2/models/{manifest.name}/versions/{which}/infer"
            yield _infer(manifest, f"{manifest.name}.{which}", path)


def _infer(manifest: Manifest, called: str, path: str) -> Operation:
    scores = ResponseSchema("The scores", InferenceSchema, alternatives=("application/octet-stream",))
    return Operation(
        f"oipInfer.{called}",
        "Open Inference Protocol",
        f"Score rows with {called}",
        {200: scores},
        (404, 406, 413, 415, 422, 429, 503),
        "Described for one row. A tensor of shape [n] has n rows. Tensors can be sent and returned as bytes.",
        body=json_body(_infer_schema(manifest), _infer_examples(manifest)),
        path=path,
    )


def _infer_schema(manifest: Manifest) -> dict[str, Any]:
    tensors = [
        {
            "type": "object",
            "properties": {
                "name": {"const": feature.name},
                "shape": {"const": [1]},
                "datatype": {"enum": list(DATATYPES)},
                "data": {"type": "array", "items": _item(feature), "minItems": 1, "maxItems": 1},
            },
            "required": ["name", "shape", "datatype", "data"],
        }
        for feature in manifest.schema.features
    ]
    size = len(tensors)
    inputs = {"type": "array", "prefixItems": tensors, "items": False, "minItems": size, "maxItems": size}
    return {
        "type": "object",
        "properties": {"id": {"type": ["string", "null"]}, "inputs": inputs},
        "required": ["inputs"],
    }


def _item(feature: Feature) -> dict[str, Any]:
    return with_plain_description(feature_schema(feature))


def _infer_examples(manifest: Manifest) -> dict[str, Any]:
    rows = manifest.examples
    return {"row": {"value": _infer_example(manifest, rows[0])}} if rows else {}


def _infer_example(manifest: Manifest, row: Mapping[str, Any]) -> dict[str, Any]:
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


_SHOW, _SHOW_VERSION = _of_model("oipModel", "Show the tensors of a model", ModelMetadataSchema, (406, 404))
_READY, _READY_VERSION = _of_model(
    "oipModelReady", "Check that a model can be used", ModelReadySchema, (406, 404, 503)
)


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
    @route("GET", "/v2/", _operation("oipServerSlash", "Show the server", ServerSchema))
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

    @route("GET", _MODEL, _SHOW)
    @route("GET", _VERSION, _SHOW_VERSION)
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

    @route("GET", f"{_MODEL}/ready", _READY)
    @route("GET", f"{_VERSION}/ready", _READY_VERSION)
    def model_ready(self, request: ApiRequest, name: str, version: str | None = None) -> JsonResponse:
        require_json_accepted(request)
        manifest = self._find(name, version)
        self._monitor.ping()
        return _json({"name": manifest.name, "ready": True})

    @route("POST", f"{_MODEL}/infer", _describe_infer)
    @route("POST", f"{_VERSION}/infer", _describe_infer_version)
    def infer(self, request: ApiRequest, name: str, version: str | None = None) -> JsonResponse:
        manifest = self._find(name, version)
        inference = read_inference(request, manifest)
        if not any(inference.outputs.values()):
            require_json_accepted(request)
        rows = inference.rows
        prediction_request = PredictionRequest(
            manifest, rows, len(rows), metadata={}, request_id=request.id, traceparent=request.traceparent
        )
        scored = self._submission.score(prediction_request, request.owner.name)
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
