"""The document, generated from the routes and the models, and cached until the models change."""

import json
import re
from collections.abc import Iterable
from typing import Any

from jobs import RELEASE
from model.description.catalog import Catalog
from model.description.manifest import Manifest
from web.keys import ACCESS, Access
from web.openapi.examples import EXAMPLES
from web.openapi.model_schemas import ModelSchemas
from web.openapi.operation import PROBLEMS, Operation, SameAs
from web.openapi.schemas import component_schemas
from web.openapi.sharing import share
from web.routing import Route, routes_of

INTRODUCTION = """\
Models behind a queue: post rows, then poll, or wait with `Prefer: wait=N`. Each row gets its own score or
its own error. Errors are problem details (RFC 9457), and a method that a path does not support gives 405 with
`Allow`. Every response has `X-Request-ID`: the id that the caller sent, if it is 1 to 64 of A-Z, a-z, 0-9,
`.`, `_` and `-`, or else a new one.
"""
NO_KEYS = "This server has no keys set: it answers everybody who can reach it."

_VARIABLE = re.compile(r"<(?:\w+:)?(\w+)>")
"""A variable in a path as Flask writes it, with a converter or without."""

TAGS = [
    {"name": "predictions", "description": "Score a row, or a list of rows"},
    {"name": "batches", "description": "Score a file"},
    {"name": "uploads", "description": "Send a large file straight to S3, and score it as a batch"},
    {"name": "models", "description": "What is served, and the rows that it takes"},
    {"name": "Open Inference Protocol", "description": "Each path of a model also takes /versions/{version}"},
    {"name": "service", "description": "Health, capacity, and what documents the service"},
    {"name": "operators", "description": "For keys with the scope `operate`"},
]

SCHEMES = {
    "bearer": {"type": "http", "scheme": "bearer"},
    "header": {"type": "apiKey", "in": "header", "name": "X-API-Key"},
}


class Document:
    """`keyed` is whether keys are set, `route_classes` are the classes whose methods are routes."""

    def __init__(self, catalog: Catalog, keyed: bool, route_classes: Iterable[type]) -> None:
        self._catalog = catalog
        self._keyed = keyed
        self._routes = tuple(routes_of(route_classes))
        self._described: object = None
        self._text = b""

    def text(self) -> bytes:
        """The document as JSON."""
        manifests = self._catalog.manifests()
        described = manifests, [self._catalog.aliases(name) for name in self._catalog.names()]
        if described != self._described:
            self._text = json.dumps(self._generate(manifests), separators=(",", ":")).encode()
            self._described = described
        return self._text

    def _generate(self, manifests: tuple[Manifest, ...]) -> dict[str, Any]:
        models = ModelSchemas(self._catalog, manifests)
        operations = [(route, each) for route in self._routes if (each := _described(route, models))]
        components: dict[str, Any] = {
            "schemas": {**_components(operation for _, operation in operations), **models.schemas},
            "responses": {str(status): problem.to_openapi() for status, problem in PROBLEMS.items()},
        }
        paths = self._paths(operations)
        share(paths, components)
        return {
            "openapi": "3.1.0",
            "info": {
                "title": "Paygrade",
                "version": RELEASE,
                "description": INTRODUCTION + ("" if self._keyed else f"\n{NO_KEYS}\n"),
            },
            "servers": [{"url": "/"}],
            "tags": TAGS,
            "paths": paths,
            "components": {**components, **({"securitySchemes": SCHEMES} if self._keyed else {})},
            **({"security": [{scheme: []} for scheme in SCHEMES]} if self._keyed else {}),
        }

    def _paths(self, operations: Iterable[tuple[Route, Operation]]) -> dict[str, dict[str, Any]]:
        paths: dict[str, dict[str, Any]] = {}
        for route, operation in operations:
            public = ACCESS.get(route.path) is Access.PUBLIC
            described = operation.to_openapi((401, 403) if self._keyed and not public else ())
            if self._keyed and public:
                described["security"] = []
            paths.setdefault(_VARIABLE.sub(r"{\1}", route.path), {})[route.method.lower()] = described
        return paths


def _described(route: Route, models: ModelSchemas) -> Operation | None:
    operation = route.operation
    if operation is None or isinstance(operation, SameAs):
        return None
    return operation if isinstance(operation, Operation) else operation(models)


def _components(operations: Iterable[Operation]) -> dict[str, Any]:
    responses = (response for operation in operations for response in operation.responses.values())
    types = {response.component for response in (*responses, *PROBLEMS.values()) if response.component}
    schemas = component_schemas(sorted(types, key=lambda each: each.__name__))
    for name, example in EXAMPLES.items():
        schemas[name]["examples"] = [example]
    return schemas
