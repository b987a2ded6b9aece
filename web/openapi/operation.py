"""An operation of the document: what a route takes, and every response that it may give."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from types import GenericAlias
from typing import Any, TypeAlias

from web.openapi.schemas import ProblemSchema, component_of

JSON = "application/json"
HTML = "text/html"
PROBLEM = "application/problem+json"


@dataclass(frozen=True)
class ResponseSchema:
    """`schema` is JSON Schema, or a type of schemas.py, or a list of one; headers are named as in HEADERS.

    `alternatives` are media types that the response may have instead, without a schema.
    """

    description: str
    schema: type | GenericAlias | Mapping[str, Any] | None = None
    media_type: str = JSON
    always: Sequence[str] = ()
    sometimes: Sequence[str] = ()
    links: Mapping[str, Any] = field(default_factory=dict)
    alternatives: Sequence[str] = ()

    def to_openapi(self) -> dict[str, Any]:
        headers = {name: _header(name, required=True) for name in self.always}
        headers |= {name: _header(name, required=False) for name in self.sometimes}
        response: dict[str, Any] = {"description": self.description}
        if headers:
            response["headers"] = headers
        if self.schema is not None:
            others: dict[str, Any] = {media_type: {} for media_type in self.alternatives}
            response["content"] = {self.media_type: {"schema": self._json_schema()}, **others}
        if self.links:
            response["links"] = dict(self.links)
        return response

    @property
    def component(self) -> type | None:
        """The type that is a component of the document."""
        if isinstance(self.schema, GenericAlias):
            return self.schema.__args__[0]  # type: ignore[no-any-return]
        return self.schema if isinstance(self.schema, type) else None

    def _json_schema(self) -> Mapping[str, Any]:
        if self.component is None:
            return self.schema  # type: ignore[return-value]
        ref = ref_to(component_of(self.component.__name__))
        return {"type": "array", "items": ref} if isinstance(self.schema, GenericAlias) else ref


@dataclass(frozen=True)
class Operation:
    """`problems` are the statuses of its errors, besides 400, and 401 or 403 where keys are set."""

    id: str
    tag: str
    summary: str
    responses: Mapping[int, ResponseSchema]
    problems: Sequence[int] = ()
    description: str = ""
    parameters: Sequence[Mapping[str, Any]] = ()
    body: Mapping[str, Any] | None = None

    def to_openapi(self, refusals: Sequence[int]) -> dict[str, Any]:
        """`refusals` are the statuses for a request without the key that it needs; empty if it needs none."""
        problems = sorted({400, *refusals, *self.problems})
        operation: dict[str, Any] = {
            "operationId": self.id,
            "tags": [self.tag],
            "summary": self.summary,
            "description": self.description,
            "parameters": [*self.parameters],
            "requestBody": self.body,
            "responses": {
                **{str(status): response.to_openapi() for status, response in self.responses.items()},
                **{str(status): {"$ref": f"#/components/responses/{status}"} for status in problems},
            },
        }
        return {name: value for name, value in operation.items() if value}


@dataclass(frozen=True)
class SameAs:
    """The route answers as another does, which is described: `path` as Flask writes it."""

    path: str


Describe: TypeAlias = Callable[[Any], Operation]
"""Describes a route by the models in the catalog, as ModelSchemas has them."""


def ref_to(name: str) -> dict[str, Any]:
    return {"$ref": f"#/components/schemas/{name}"}


def json_body(schema: Mapping[str, Any], examples: Mapping[str, Any]) -> dict[str, Any]:
    return {"required": True, "content": {JSON: {"schema": schema, "examples": examples}}}


HEADERS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "Location": (
        "Path of the job, the upload or the guide, or the address of a file in S3",
        {
            "type": "string",
            "pattern": "^(https?://|/(guide/README[.]html$|v1/(predictions/pred|batches/batch|uploads/upload)_))",
        },
    ),
    "Retry-After": (
        "Seconds after which to ask again, estimated from the queue and the measured rate",
        {"type": "integer", "minimum": 1},
    ),
    "Cache-Control": ("How long the response may be cached", {"type": "string"}),
    "Preference-Applied": ("The wait that was granted", {"type": "string", "pattern": "^wait=[0-9]+$"}),
    "Idempotency-Replayed": ("This is the job of an earlier request with the same key", {"const": "true"}),
    "WWW-Authenticate": ("How to send a key", {"type": "string"}),
    "Accept-Post": ("The media types that the route takes", {"type": "string"}),
    "ETag": ("Identifies this version of the file", {"type": "string"}),
    "Accept-Ranges": ("A range of the file can be requested", {"const": "bytes"}),
    "Content-Range": ("Which bytes these are, or how many the file has", {"type": "string"}),
    "Content-Security-Policy": ("What the page may load: files of this server", {"type": "string"}),
}


def _header(name: str, required: bool) -> dict[str, Any]:
    description, schema = HEADERS[name]
    return {"description": description, "required": required, "schema": schema}


PROBLEMS: Mapping[int, ResponseSchema] = {
    status: ResponseSchema(description, ProblemSchema, PROBLEM, always, sometimes)
    for status, (description, always, sometimes) in {
        400: ("Malformed: not JSON, or a header or query that cannot be read", (), ()),
        401: ("No key was sent, or a wrong one", ("WWW-Authenticate",), ()),
        403: ("This key does not have the scope `predict`, or `operate` for the routes of operators", (), ()),
        404: ("Unknown id, model or version, or the job of another owner", (), ()),
        406: ("The format that Accept asks for is not available", (), ()),
        409: ("The state of the job does not allow this", (), ("Retry-After",)),
        410: ("The job has expired and was removed", (), ()),
        413: ("The body is over the limit of its size", (), ()),
        415: ("The media type or encoding of the body is not supported", (), ("Accept-Post",)),
        416: ("The file does not have these bytes", ("Content-Range",), ()),
        422: ("Well-formed but invalid; `errors` lists all faults at once", (), ()),
        429: ("This key is over its limit", ("Retry-After",), ()),
        501: ("No worker of this service takes such jobs, and none will: see PAYGRADE_QUEUES", (), ()),
        503: (
            "The queue is full, or Redis is unavailable: not accepted as far as we know; repeat the request "
            "with the same Idempotency-Key",
            ("Retry-After",),
            (),
        ),
    }.items()
}
