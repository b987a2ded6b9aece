"""An operation: a method on a path, what it takes, and all that it may answer."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from web.openapi.requests import ref_to

JSON = "application/json"
HTML = "text/html"
PROBLEM = "application/problem+json"


@dataclass(frozen=True)
class Answer:
    """`schema` is JSON Schema, or the name of one in answers.py; headers are by their names in HEADERS.

    `also` are media types that may come instead, and have no schema.
    """

    description: str
    schema: str | Mapping[str, Any] | None = None
    media_type: str = JSON
    always: Sequence[str] = ()
    sometimes: Sequence[str] = ()
    links: Mapping[str, Any] = field(default_factory=dict)
    also: Sequence[str] = ()

    def write(self) -> dict[str, Any]:
        headers = {name: header(name, required=True) for name in ("X-Request-ID", *self.always)}
        headers |= {name: header(name, required=False) for name in self.sometimes}
        written: dict[str, Any] = {"description": self.description, "headers": headers}
        if self.schema is not None:
            schema = ref_to(self.schema) if isinstance(self.schema, str) else self.schema
            others: dict[str, Any] = {media_type: {} for media_type in self.also}
            written["content"] = {self.media_type: {"schema": schema}, **others}
        if self.links:
            written["links"] = self.links
        return written


@dataclass(frozen=True)
class Operation:
    """`problems` are the statuses of its errors, besides 400, and 401 or 403 where keys are set."""

    method: str
    path: str
    id: str
    tag: str
    summary: str
    answers: Mapping[int, Answer]
    problems: Sequence[int] = ()
    description: str = ""
    parameters: Sequence[Mapping[str, Any]] = ()
    body: Mapping[str, Any] | None = None
    needs_key: bool = True
    needs_operate: bool = False

    def write(self, keyed: bool) -> dict[str, Any]:
        """As the document has it; `keyed` is whether keys are set."""
        locked = keyed and self.needs_key
        refusals = [401, *([403] if self.needs_operate else [])] if locked else []
        problems = sorted({400, *refusals, *self.problems})
        written: dict[str, Any] = {
            "operationId": self.id,
            "tags": [self.tag],
            "summary": self.summary,
            "description": self.description,
            "parameters": [*self.parameters, {"$ref": "#/components/parameters/X-Request-ID"}],
            "requestBody": self.body,
            "responses": {
                **{str(status): answer.write() for status, answer in self.answers.items()},
                **{str(status): {"$ref": f"#/components/responses/{status}"} for status in problems},
            },
            "security": [{"bearer": []}, {"header": []}] if locked else None,
        }
        return {name: value for name, value in written.items() if value}


HEADERS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "X-Request-ID": (
        "The caller's own, if it is usable; else a new one",
        {"type": "string", "pattern": "^[A-Za-z0-9._-]{1,64}$"},
    ),
    "Location": (
        "Path of the job, or of the page",
        {"type": "string", "pattern": "^/(docs$|v1/(predictions/pred|batches/batch)_)"},
    ),
    "Retry-After": (
        "Seconds after which to ask again, by the line and the measured rate",
        {"type": "integer", "minimum": 1},
    ),
    "Cache-Control": ("How long it may be kept", {"type": "string"}),
    "Preference-Applied": ("The wait that was granted", {"type": "string", "pattern": "^wait=[0-9]+$"}),
    "Idempotency-Replayed": ("This is the job of an earlier request with this key", {"const": "true"}),
    "WWW-Authenticate": ("How to send a key", {"type": "string"}),
    "Accept-Post": ("The media types that are taken", {"type": "string"}),
    "ETag": ("Names this version of the file", {"type": "string"}),
    "Accept-Ranges": ("Parts of it may be asked for", {"const": "bytes"}),
    "Content-Range": ("Which bytes these are, or how many there are", {"type": "string"}),
    "Content-Security-Policy": ("What the page may load: files of this server", {"type": "string"}),
}


def header(name: str, required: bool) -> dict[str, Any]:
    description, schema = HEADERS[name]
    return {"description": description, "required": required, "schema": schema}


PROBLEMS: Mapping[int, Answer] = {
    status: Answer(description, "Problem", PROBLEM, always, sometimes)
    for status, (description, always, sometimes) in {
        400: ("Malformed: not JSON, or a header or query that cannot be read", (), ()),
        401: ("No key, or a wrong one", ("WWW-Authenticate",), ()),
        403: ("This key may not operate", (), ()),
        404: ("Unknown id, model or version, or the job of another owner", (), ()),
        406: ("What is asked for by Accept is not to be had", (), ()),
        409: ("The job's state does not allow it", (), ("Retry-After",)),
        410: ("The job has expired and was removed", (), ()),
        413: ("The body is over the limit of its size", (), ()),
        415: ("The body's media type or encoding is not taken", (), ("Accept-Post",)),
        416: ("The file has no such bytes", ("Content-Range",), ()),
        422: ("Well-formed and wrong; `errors` has all faults at once", (), ()),
        429: ("This key is over its limit", ("Retry-After",), ()),
        503: (
            "The line is full, or Redis is away: not accepted as far as is known; repeat it with the same "
            "Idempotency-Key",
            ("Retry-After",),
            (),
        ),
    }.items()
}
