"""/v1/models: the models that are served, and the rows that they take."""

import json
from typing import Any

from model.description.catalog import Catalog
from model.description.errors import UnknownModel
from model.description.manifest import Manifest
from web.app import JsonResponse
from web.openapi.model_schemas import ModelSchemas
from web.openapi.operation import HTML, Operation, ResponseSchema
from web.openapi.schemas import ModelListSchema, ModelSchema
from web.reports import show_report
from web.requests import ApiRequest, require_json_accepted
from web.routing import route

PATH = "/v1/models"
MOST_EXAMPLES = 10


def _describe_show(models: ModelSchemas) -> Operation:
    return Operation(
        "showModel",
        "models",
        "Show a model: the rows that it takes, its target and its metrics",
        {200: ResponseSchema("The model", ModelSchema)},
        (404, 406),
        parameters=(models.in_path,),
    )


def _describe_report(models: ModelSchemas) -> Operation:
    page = {"type": "string", "description": "HTML that needs nothing but itself"}
    return Operation(
        "showModelReport",
        "models",
        "Show how good a model is, as a page: metrics, errors, features, how it was made",
        {200: ResponseSchema("The report", page, HTML, always=("Content-Security-Policy",))},
        (404, 503),
        parameters=(models.in_path,),
    )


class ModelRoutes:
    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog

    @route(
        "GET",
        PATH,
        Operation(
            "listModels",
            "models",
            "List the models",
            {200: ResponseSchema("The newest version of each model", ModelListSchema)},
            (406,),
        ),
    )
    def list(self, request: ApiRequest) -> JsonResponse:
        require_json_accepted(request)
        newest = (self._catalog.find(name) for name in self._catalog.names())
        return _json({"object": "list", "data": [model(each, self._catalog) for each in newest]})

    @route("GET", f"{PATH}/<name>", _describe_show)
    def show(self, request: ApiRequest, name: str) -> JsonResponse:
        require_json_accepted(request)
        return _json(model(self._catalog.find(name), self._catalog))

    @route("GET", f"{PATH}/<name>/report", _describe_report)
    def report(self, request: ApiRequest, name: str) -> JsonResponse:
        return show_report(self._catalog, self._catalog.find(name))


def model(manifest: Manifest, catalog: Catalog) -> dict[str, Any]:
    """The resource. `default` is whether a request that names no model gets this version."""
    path = f"{PATH}/{manifest.ref}"
    return {
        "object": "model",
        "name": manifest.name,
        "version": manifest.version,
        "sha256": manifest.sha256,
        "default": _is_default(manifest, catalog),
        "versions": catalog.versions(manifest.name),
        "aliases": catalog.aliases(manifest.name),
        "target": manifest.target,
        "unit": manifest.unit,
        "objective": manifest.objective,
        "scores": manifest.scores,
        "quantiles": list(manifest.quantiles),
        "explained": manifest.explained,
        "metrics": manifest.metrics,
        "features": manifest.schema.to_list(),
        "row": manifest.schema.to_json_schema(),
        "proof": manifest.proof.get("kind"),
        "example": next(iter(manifest.examples), None),
        "examples": manifest.examples[:MOST_EXAMPLES],
        "urls": {"self": path, "report": f"{path}/report" if catalog.has_report(manifest) else None},
    }


def _is_default(manifest: Manifest, catalog: Catalog) -> bool:
    try:
        return catalog.find() is manifest
    except UnknownModel:
        return False


def _json(body: Any) -> JsonResponse:
    """A bundle may hold integers that only the slower json can write."""
    return JsonResponse(json.dumps(body, separators=(",", ":")).encode())
