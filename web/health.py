"""Is the process up, and can it do its work?"""

from flask import Blueprint, Response

from jobs.store import Store


def health(store: Store) -> Blueprint:
    routes = Blueprint("health", __name__)

    @routes.get("/healthz")
    def healthz() -> Response:
        return Response('{"status":"ok"}', mimetype="application/json")

    @routes.get("/readyz")
    def readyz() -> Response:
        store.ping()
        return Response('{"status":"ready"}', mimetype="application/json")

    return routes
