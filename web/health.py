"""Is the process up, and can it do its work?"""

from flask import Blueprint, Response

from jobs.predictions.store import PredictionStore
from web.answer import Answer


def health(store: PredictionStore) -> Blueprint:
    routes = Blueprint("health", __name__)

    @routes.get("/healthz")
    def healthz() -> Response:
        return Answer(b'{"status":"ok"}')

    @routes.get("/readyz")
    def readyz() -> Response:
        store.ping()
        return Answer(b'{"status":"ready"}')

    return routes
