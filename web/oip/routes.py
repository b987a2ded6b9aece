"""The routes under /v2."""

from dataclasses import dataclass
from typing import Any

import orjson
from flask import Blueprint, Response, request

from jobs import RELEASE
from model.description.features import Feature
from model.description.manifest import Manifest
from web.answer import Answer
from web.blocking import score
from web.body import PredictionRequest
from web.oip.answer import inferred, say_error
from web.oip.elements import BYTES
from web.oip.inference import read_inference
from web.oip.outputs import described_outputs
from web.predictions import PredictionRoutes
from web.preferences import require_json_wanted

SERVER = {"name": "paygrade", "version": RELEASE, "extensions": ["binary_tensor_data"]}
PLATFORM = "xgboost_ubj"
DATATYPES = {"number": "FP64", "integer": "INT64", "boolean": "BOOL", "category": BYTES}
"""By the type of a feature. Numbers are FP64, since a limit may lie between two of FP32."""


@dataclass
class OpenInference:
    predictions: PredictionRoutes

    def blueprint(self) -> Blueprint:
        routes = Blueprint("open_inference", __name__, url_prefix="/v2")
        routes.add_url_rule("", view_func=self.server)
        routes.add_url_rule("/", view_func=self.server)
        routes.add_url_rule("/health/live", view_func=self.live)
        routes.add_url_rule("/health/ready", view_func=self.ready)
        routes.add_url_rule("/repository/index", view_func=self.index, methods=["POST"])
        for model in ("/models/<name>", "/models/<name>/versions/<version>"):
            routes.add_url_rule(model, view_func=self.model)
            routes.add_url_rule(f"{model}/ready", view_func=self.model_ready)
            routes.add_url_rule(f"{model}/infer", view_func=self.infer, methods=["POST"])
        routes.after_app_request(say_error)
        return routes

    def live(self) -> Response:
        return _json({"live": True})

    def ready(self) -> Response:
        self.predictions.store.ping()
        return _json({"ready": True})

    def server(self) -> Response:
        self._may_read()
        return _json(SERVER)

    def index(self) -> Response:
        """What could not be served is not told: the reasons name directories."""
        self._may_read()
        catalog = self.predictions.catalog
        versions = [(name, version) for name in catalog.names() for version in catalog.versions(name)]
        ready = {"state": "READY", "reason": ""}
        return _json([{"name": name, "version": str(version), **ready} for name, version in versions])

    def model(self, name: str, version: str | None = None) -> Response:
        self._may_read()
        manifest = self._find(name, version)
        versions = self.predictions.catalog.versions(manifest.name)
        metadata = {
            "name": manifest.name,
            "versions": [str(version) for version in versions],
            "platform": PLATFORM,
            "inputs": [_described(feature) for feature in manifest.schema.features],
            "outputs": described_outputs(manifest),
        }
        return _json(metadata)

    def model_ready(self, name: str, version: str | None = None) -> Response:
        self._may_read()
        manifest = self._find(name, version)
        self.predictions.store.ping()
        return _json({"name": manifest.name, "ready": True})

    def infer(self, name: str, version: str | None = None) -> Response:
        owner = self.predictions.keys.owner_of(request)
        manifest = self._find(name, version)
        inference = read_inference(request, manifest)
        if not any(inference.outputs.values()):
            require_json_wanted(request)
        asked = PredictionRequest(manifest, inference.rows, len(inference.rows), metadata={})
        return inferred(inference, manifest, score(self.predictions, asked, owner))

    def _may_read(self) -> None:
        """Raises Problem: 401 without a key, 406 if JSON is not wanted."""
        self.predictions.keys.owner_of(request)
        require_json_wanted(request)

    def _find(self, name: str, version: str | None) -> Manifest:
        return self.predictions.catalog.find(name if version is None else f"{name}@{version}")


def _described(feature: Feature) -> dict[str, Any]:
    missing_integer = feature.nullable and feature.type == "integer"  # as NaN, which INT64 has not
    datatype = "FP64" if missing_integer else DATATYPES[feature.type]
    return {"name": feature.name, "datatype": datatype, "shape": [-1]}


def _json(body: Any) -> Response:
    return Answer(orjson.dumps(body))
