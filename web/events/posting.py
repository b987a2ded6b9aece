"""Posts a batch as a caller does: to the public API, within this process."""

from collections.abc import Callable
from io import StringIO
from typing import TYPE_CHECKING, Any, TypeAlias

from jobs.batches.resource import PATH
from web.keys import Access, Owner
from web.own_api import Api
from web.requests import OWNER

if TYPE_CHECKING:
    from _typeshed.wsgi import WSGIApplication

EVENTS_OWNER = Owner("events", (Access.PREDICT,))
"""Owns the batches that messages have become, where keys are set: a key of this name sees them."""
PostBatch: TypeAlias = Callable[[dict[str, Any], str, str], str]
"""Takes the body, the Idempotency-Key and the id of the request. Returns the id of the batch."""


def post_to(app: "WSGIApplication") -> PostBatch:
    def post(body: dict[str, Any], key: str, request_id: str) -> str:
        answer = Api(app, _environ(), request_id).post(PATH, body, HTTP_IDEMPOTENCY_KEY=key)
        return str(answer["id"])

    return post


def _environ() -> dict[str, Any]:
    return {
        "HTTP_HOST": "localhost",
        "SERVER_NAME": "localhost",
        "SERVER_PORT": "80",
        "SERVER_PROTOCOL": "HTTP/1.1",
        "SCRIPT_NAME": "",
        "wsgi.version": (1, 0),
        "wsgi.url_scheme": "http",
        "wsgi.errors": StringIO(),
        "wsgi.multithread": True,
        "wsgi.multiprocess": True,
        "wsgi.run_once": False,
        OWNER: EVENTS_OWNER,
    }
