"""/v1/models: which models are served, what rows they take, and what they say of themselves."""

import json
from typing import Any

from flask import Blueprint, Response, request

from model.description.catalog import Catalog
from model.description.errors import UnknownModel
from model.description.manifest import Manifest
from web.answer import Answer
from web.keys import Keys
from web.preferences import require_json_wanted

PATH = "/v1/models"


def models(keys: Keys, catalog: Catalog) -> Blueprint:
    routes = Blueprint("models", __name__, url_prefix=PATH)

    @routes.get("")
    def list_models() -> Response:
        keys.owner_of(request)
        require_json_wanted(request)
        newest = (catalog.find(name) for name in catalog.names())
        return _answer({"object": "list", "data": [model(one, catalog) for one in newest]})

    @routes.get("/<name>")
    def show(name: str) -> Response:
        keys.owner_of(request)
        require_json_wanted(request)
        return _answer(model(catalog.find(name), catalog))

    return routes


def model(manifest: Manifest, catalog: Catalog) -> dict[str, Any]:
    """The resource; `default` is whether a request that names no model gets this version."""
    return {
        "object": "model",
        "name": manifest.name,
        "version": manifest.version,
        "sha256": manifest.sha256,
        "default": is_default(manifest, catalog),
        "versions": catalog.versions(manifest.name),
        "target": manifest.target,
        "unit": manifest.unit,
        "objective": manifest.objective,
        "metrics": manifest.metrics,
        "row": manifest.schema.to_json_schema(),
        "example": manifest.examples[0],
        "urls": {"self": f"{PATH}/{manifest.ref}"},
    }


def is_default(manifest: Manifest, catalog: Catalog) -> bool:
    try:
        return catalog.find() is manifest
    except UnknownModel:
        return False


def _answer(body: Any) -> Response:
    """A bundle may hold whole numbers that only the slower json can write."""
    return Answer(json.dumps(body, separators=(",", ":")).encode())
