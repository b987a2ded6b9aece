"""The Flask app, made of what it is given."""

import re
from collections.abc import Callable
from typing import Any

from flask import Flask, Request, request
from werkzeug.routing import MapAdapter

from jobs.predictions.store import PredictionStore
from jobs.settings import Settings
from model.description.catalog import Catalog
from web import problems
from web.admission import Admission
from web.answer import Answer
from web.batches import BatchRoutes
from web.health import health
from web.keys import Keys
from web.models import models
from web.oip.routes import OpenInference
from web.openapi.routes import documents
from web.operating import operating
from web.predictions import PredictionRoutes
from web.problems import Problem
from web.recms import recms
from web.trace import Trace
from web.waiting import Waiting

_LOOPBACK = re.compile(r"(localhost|127(\.\d{1,3}){3}|\[::1\])(:\d+)?", re.IGNORECASE)


class App(Flask):
    def ensure_sync(self, func: Callable[..., Any]) -> Callable[..., Any]:
        """As it is: all of ours are, and to look costs each request several microseconds."""
        return func

    def create_url_adapter(self, request: Request | None) -> MapAdapter | None:
        """Without a look at the host: no route of ours depends on it, none redirects."""
        if request is None:
            return None
        environ = request.environ
        path = environ["PATH_INFO"].encode("latin-1").decode(errors="replace")
        method, query = environ["REQUEST_METHOD"], environ["QUERY_STRING"]
        return self.url_map.bind("localhost", None, "", "http", method, path, query)


def create_app(
    settings: Settings,
    keys: Keys,
    catalog: Catalog,
    store: PredictionStore,
    door: Admission,
    waiting: Waiting,
    trace: Trace,
    batches: BatchRoutes,
) -> Flask:
    app = App(__name__, static_folder=None)
    app.config["MAX_CONTENT_LENGTH"] = settings.max_body
    app.config["PROVIDE_AUTOMATIC_OPTIONS"] = False
    app.response_class = Answer
    app.url_map.merge_slashes = False  # by redirects in HTML
    if not keys and not settings.allow_anyone:
        app.before_request(_refuse_strange_names)
    problems.register(app)
    predictions = PredictionRoutes(keys, catalog, store, door, waiting)
    app.register_blueprint(predictions.blueprint())
    app.register_blueprint(batches.blueprint())
    app.register_blueprint(recms(predictions))
    app.register_blueprint(OpenInference(predictions).blueprint())
    app.register_blueprint(models(keys, catalog))
    app.register_blueprint(health(store))
    app.register_blueprint(operating(keys, store, door, trace))
    app.register_blueprint(documents(catalog, keyed=bool(keys)))
    app.wsgi_app = trace.around(app.wsgi_app)  # type: ignore[method-assign, assignment]
    return app


def _refuse_strange_names() -> None:
    """A page from elsewhere must not reach this server through a name that points here."""
    if not _LOOPBACK.fullmatch(request.environ.get("HTTP_HOST", "")):
        raise Problem(400, "without keys this server answers to localhost, 127.0.0.1 and [::1] only")
