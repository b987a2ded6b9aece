"""The document: made of the models in the catalog as they stand, and kept while they are the same."""

import json
from typing import Any

from jobs import RELEASE
from model.description.catalog import Catalog
from model.description.manifest import Manifest
from web.openapi import batches, oip
from web.openapi.answers import ANSWERS, schemas_of
from web.openapi.operation import PROBLEMS
from web.openapi.operations import operations
from web.openapi.requests import Requests

INTRODUCTION = """\
A model behind a queue: post the rows, then poll, or wait with `Prefer: wait=N`. Each row gets its own score
or its own reason. Errors are problem details (RFC 9457), every answer has `X-Request-ID`, and a method that
a path does not know is 405 with `Allow`.
"""
NO_KEYS = "This server has no keys set: it answers everybody who reaches it."

REQUEST_ID: dict[str, Any] = {
    "name": "X-Request-ID",
    "in": "header",
    "description": "Passthrough if it is 1 to 64 of A-Z, a-z, 0-9, `.`, `_` and `-`; else a new one is made",
    "schema": {"type": "string"},
}
SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}


class Document:
    """`keyed` is whether callers need a key."""

    def __init__(self, catalog: Catalog, keyed: bool) -> None:
        self._catalog = catalog
        self._keyed = keyed
        self._made_of: tuple[Manifest, ...] | None = None
        self._text = b""

    def text(self) -> bytes:
        """As JSON."""
        manifests = self._catalog.manifests()
        if manifests != self._made_of:
            self._text = json.dumps(self._write(manifests), separators=(",", ":")).encode()
            self._made_of = manifests
        return self._text

    def _write(self, manifests: tuple[Manifest, ...]) -> dict[str, Any]:
        requests = Requests(self._catalog, manifests)
        paths: dict[str, dict[str, Any]] = {}
        for operation in (
            *operations(requests, manifests),
            *batches.operations(),
            *oip.operations(manifests),
        ):
            paths.setdefault(operation.path, {})[operation.method] = operation.write(self._keyed)
        components: dict[str, Any] = {
            "schemas": {**schemas_of((*ANSWERS, *batches.ANSWERS, *oip.ANSWERS)), **requests.schemas},
            "parameters": {"X-Request-ID": REQUEST_ID},
            "responses": {str(status): problem.write() for status, problem in PROBLEMS.items()},
        }
        if self._keyed:
            components["securitySchemes"] = SCHEMES
        return {
            "openapi": "3.1.0",
            "info": {
                "title": "Paygrade",
                "version": RELEASE,
                "description": INTRODUCTION + ("" if self._keyed else f"\n{NO_KEYS}\n"),
            },
            "servers": [{"url": "/"}],
            "paths": paths,
            "components": components,
        }
