"""A client that checks each response against the operation in /openapi.json."""

import re
from functools import lru_cache
from typing import Any

import orjson
from flask import Flask
from flask.testing import FlaskClient
from jsonschema import Draft202012Validator
from werkzeug.exceptions import HTTPException
from werkzeug.test import TestResponse

from web.keys import PAGES
from web.openapi.document import Document
from web.openapi.operation import SameAs
from web.routing import routes_of
from web.wiring import ROUTE_CLASSES

Node = dict[str, Any]


class DocumentedClient(FlaskClient):
    def __init__(self, app: Flask, document: Document) -> None:
        super().__init__(app, app.response_class)
        self._document = document

    def open(self, *args: Any, **options: Any) -> TestResponse:
        response = super().open(*args, **options)
        if operation := self._operation_of(response):
            hold(response, operation, parsed(self._document.text()))
        return response

    def _operation_of(self, response: TestResponse) -> Node | None:
        """None if there is no such route, and for the page, which is no part of the API."""
        request = response.request
        try:
            rule, _ = self.application.url_map.bind("").match(
                request.path, method=request.method, return_rule=True
            )
        except HTTPException:
            return None
        if rule.rule in PAGES:
            return None
        paths: Node = parsed(self._document.text())["paths"]
        described = path_of(SAME_AS.get((request.method, rule.rule), rule.rule))
        operation: Node = paths[described][request.method.lower()]
        return operation


SAME_AS = {
    (route.method, route.path): route.operation.path
    for route in routes_of(ROUTE_CLASSES)
    if isinstance(route.operation, SameAs)
}
"""By method and path: the path that is described instead."""


def path_of(rule: str) -> str:
    """The path of a Flask route as the document writes it."""
    return re.sub(r"<(?:\w+:)?(\w+)>", r"{\1}", rule)


def hold(response: TestResponse, operation: Node, document: Node) -> None:
    said = operation["responses"].get(str(response.status_code))
    assert said, f"{operation['operationId']} does not document {response.status_code}: {response.text}"
    said = resolved(said, document)
    check(response.headers["X-Request-ID"], {"pattern": "^[A-Za-z0-9._-]{1,64}$"})
    for name, described in said.get("headers", {}).items():
        header = resolved(described, document)
        if name in response.headers:
            value = response.headers[name]
            check(int(value) if header["schema"].get("type") == "integer" else value, header["schema"])
        else:
            assert not header["required"], f"{operation['operationId']} answers without {name}"
    if "content" not in said:
        assert response.data == b""
    elif "*/*" not in said["content"]:
        schema = said["content"][str(response.mimetype)].get("schema")
        body = response.get_json() if response.is_json else response.data.decode(errors="replace")
        check(body, {**(schema or {}), "components": document["components"]})


def resolved(said: Node, document: Node) -> Node:
    if "$ref" not in said:
        return said
    found: Any = document
    for part in said["$ref"].removeprefix("#/").split("/"):
        found = found[part]
    assert isinstance(found, dict)
    return found


def check(value: Any, schema: Node) -> None:
    validator(orjson.dumps(schema)).validate(value)


@lru_cache(maxsize=256)
def validator(schema: bytes) -> Draft202012Validator:
    return Draft202012Validator(orjson.loads(schema))


@lru_cache(maxsize=16)
def parsed(text: bytes) -> Node:
    document: Node = orjson.loads(text)
    return document
