"""A request, and how it is read: its body, and the headers Accept, Prefer, Idempotency-Key and Cancel-After.

Every function raises Problem for what it cannot accept.
"""

import re
from functools import lru_cache
from typing import Annotated, Any

import orjson
from flask import Request
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    StringConstraints,
    ValidationError,
    field_validator,
)
from pydantic_core import PydanticCustomError
from werkzeug.datastructures import MultiDict
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.utils import cached_property

from jobs.ids import checked_traceparent
from jobs.queues.idempotency import IdempotencyKey
from model.description.catalog import Catalog
from model.description.schema import Fault
from web.access_log import Refusal
from web.faults import MAX_EXPLAINED_ROWS, explain_faults, faults_in, faults_of_rows, parse_slowly, row_faults
from web.keys import Owner
from web.media_types import JSON_TYPES
from web.prediction_submission import PredictionRequest
from web.problems import Problem
from web.process_limits import UNCOUNTED, Bodies
from web.submission import LONGEST_WAIT_SECONDS

REQUEST_ID = "paygrade.request_id"
"""The key of the request id in the WSGI environment."""
BODIES = "paygrade.bodies"
OWNER = "paygrade.owner"
"""The key of the owner of a request of our own; no caller can set it, whose headers begin with HTTP_."""
FOR_PAGE = "paygrade.for_page"
"""The key of what is true where the page asks for its visitor, within this process."""

MAX_ROWS = 1_000
MAX_METADATA = 16
MAX_MEMBERS = 100
"""An object with more members than any request has is refused before they are looked at."""
LONGEST_CANCEL_AFTER_MS = 7 * 86_400_000

_WAIT = re.compile(r'wait\s*=\s*(?:([0-9]{1,9})|"([0-9]{1,9})")')
_IDEMPOTENCY_KEY = re.compile(r"[\x21-\x7e]{1,255}")
_DURATION = re.compile(r"(?=[0-9])(?:([0-9]{1,6})h)?(?:([0-9]{1,6})m)?(?:([0-9]{1,9})s?)?")

_Key = Annotated[str, StringConstraints(max_length=64)]
_Text = Annotated[str, StringConstraints(max_length=512)]


class ApiRequest(Request):
    owner: Owner
    """Set before the route runs, except on public routes."""
    job_id: str | None = None
    """The job that the request concerns, for the access log."""
    refusal: Refusal | None = None
    """Why the request was refused, likewise."""
    held: int = 0
    """Bytes of the body that are held until the request is answered."""
    blueprints: list[str] = []  # noqa: RUF012 (nobody adds any)
    """There are none, and Flask need not look for them three times in each request."""

    @property
    def id(self) -> str:
        request_id: str = self.environ[REQUEST_ID]
        return request_id

    @property
    def bodies(self) -> Bodies:
        bodies: Bodies = self.environ[BODIES]
        return bodies

    @property
    def mimetype(self) -> str:
        given = self.environ.get("CONTENT_TYPE", "")
        return given if given == "application/json" else super().mimetype

    @property
    def length(self) -> int | None:
        """Bytes of the body; None if it ends by itself."""
        text = self.environ.get("CONTENT_LENGTH")
        return int(text) if text else None if self.environ.get("wsgi.input_terminated") else 0

    @cached_property
    def args(self) -> MultiDict[str, str]:
        """Raises Problem (400)."""
        try:
            return super().args
        except UnicodeDecodeError:
            raise Problem(
                400, "the query is not UTF-8; encode it with percent signs", reason="query"
            ) from None

    @property
    def is_for_page(self) -> bool:
        return FOR_PAGE in self.environ

    @property
    def traceparent(self) -> str:
        """Empty if the caller sent none that can be read."""
        given = self.environ.get("HTTP_TRACEPARENT")
        return checked_traceparent(given) if given else ""

    def hold(self, size: int) -> None:
        """Counts so many more bytes of the body, or fewer. Raises TooManyBodies."""
        self.bodies.hold(self.owner.name, size)
        self.held += size


def _check_count(sent: Any) -> Any:
    """Raises PydanticCustomError if an object has too many members to be looked at."""
    if isinstance(sent, dict) and len(sent) > MAX_MEMBERS:
        raise PydanticCustomError("members", f"has {len(sent)} members; at most {MAX_METADATA} are allowed")
    return sent


Metadata = Annotated[dict[_Key, _Text], Field(max_length=MAX_METADATA), BeforeValidator(_check_count)]


class PredictionBody(BaseModel):
    """`inputs` is one row or a list of 1 to 1,000; the schema of the model validates the rows."""

    model_config = ConfigDict(extra="forbid", strict=True)

    model: str | None = None
    inputs: Any
    explain: Annotated[bool, Field(description=f"For at most {MAX_EXPLAINED_ROWS} rows")] = False
    metadata: Annotated[Metadata, Field(default_factory=dict)]
    webhook: Annotated[
        str | None, Field(description="https:// address that is told when the prediction has ended")
    ] = None

    @field_validator("inputs")
    @classmethod
    def _rows(cls, inputs: Any) -> Any:
        if isinstance(inputs, dict) or (isinstance(inputs, list) and 1 <= len(inputs) <= MAX_ROWS):
            return inputs
        raise PydanticCustomError("rows", f"must be one row (an object) or a list of 1 to {MAX_ROWS:,} rows")


def read_prediction(request: ApiRequest, catalog: Catalog, path: str) -> PredictionRequest:
    """`path` is the route that the Idempotency-Key is for. Raises UnknownModel and InvalidRows, too."""
    whole = read_json_body(request)
    sent = parse_json(whole)
    refuse_many_members(sent)
    try:
        body = PredictionBody.model_validate(sent)
    except ValidationError as error:
        faults = faults_in(error)
        if isinstance(sent, dict):
            faults += faults_of_rows(sent, catalog, {fault.pointer for fault in faults})
        raise _invalid(faults) from None
    manifest, inputs = catalog.find(body.model), body.inputs
    if body.explain and (faults := explain_faults(manifest, inputs)):
        raise _invalid(faults + row_faults(manifest, inputs))
    many = isinstance(inputs, list)
    return PredictionRequest(
        manifest,
        manifest.schema.check_rows(inputs) if many else manifest.schema.check_row(inputs),
        len(inputs) if many else 1,
        body.metadata,
        request.id,
        body.explain,
        read_cancel_after(request),
        read_idempotency_key(request, path, whole),
        body.webhook or "",
        request.traceparent,
    )


def require_json_accepted(request: Request) -> None:
    """Raises Problem (406) if the header Accept excludes JSON."""
    accept = request.environ.get("HTTP_ACCEPT")
    if accept and accept != "*/*" and not request.accept_mimetypes["application/json"]:
        raise Problem(406, "the response is application/json, which the header Accept excludes; accept it")


def read_prefer_wait(request: Request, longest: int = LONGEST_WAIT_SECONDS) -> int:
    """Seconds to wait, at most `longest`, by the header Prefer (RFC 7240); 0 without it."""
    header = request.environ.get("HTTP_PREFER")
    return min(_seconds_preferred(header), longest) if header else 0


@lru_cache(maxsize=64)
def _seconds_preferred(header: str) -> int:
    preferences = [part.strip().lower() for part in header.replace(";", ",").split(",")]
    if "respond-async" in preferences:
        return 0
    for preference in preferences:
        if preference.partition("=")[0].strip() == "wait":
            match = _WAIT.fullmatch(preference)
            if not match:
                raise Problem(400, "Prefer: wait must be a whole number of seconds, as in wait=10")
            return int(match[1] or match[2])
    return 0


def read_query_wait(request: Request, longest: int = LONGEST_WAIT_SECONDS) -> int:
    """Seconds to wait, at most `longest`, by ?wait=N; 0 without it."""
    text = request.args.get("wait", "0")
    if not re.fullmatch(r"[0-9]{1,9}", text):
        raise Problem(400, "wait must be a whole number of seconds, as in ?wait=10")
    return min(int(text), longest)


def read_file_number(request: Request) -> int | None:
    """The number of one of several files, by ?file=N; None without it."""
    text = request.args.get("file")
    if text is None:
        return None
    if not re.fullmatch(r"[0-9]{1,6}", text):
        raise Problem(400, "file must be the number of a file of the batch, as in ?file=0")
    return int(text)


def read_idempotency_key(request: Request, path: str, body: bytes) -> IdempotencyKey | None:
    key = idempotency_key_of(request)
    return None if key is None else IdempotencyKey.of(path, key, body)


def idempotency_key_of(request: Request) -> str | None:
    key = request.environ.get("HTTP_IDEMPOTENCY_KEY")
    if key is not None and not _IDEMPOTENCY_KEY.fullmatch(key):
        raise Problem(400, "Idempotency-Key must be 1 to 255 visible ASCII characters, such as a UUID")
    return key


def read_cancel_after(request: Request) -> int | None:
    """Milliseconds; None without the header."""
    text = request.environ.get("HTTP_CANCEL_AFTER")
    if text is None:
        return None
    match = _DURATION.fullmatch(text.strip().lower())
    hours, minutes, seconds = (int(part or 0) for part in match.groups()) if match else (0, 0, 0)
    milliseconds = ((hours * 60 + minutes) * 60 + seconds) * 1000
    if not 0 < milliseconds <= LONGEST_CANCEL_AFTER_MS:
        raise Problem(400, "Cancel-After must be a duration of 1 s to 7 days, as in 30s, 5m or 1h30m")
    return milliseconds


def read_json_body(request: ApiRequest) -> bytes:
    """Raises Problem: 415 for another media type, 413 over the limit. `parse_json` follows."""
    if request.mimetype and request.mimetype not in JSON_TYPES:
        raise Problem(
            415,
            f"the body is {request.mimetype[:64]}; send application/json",
            headers={"Accept-Post": "application/json"},
        )
    return read_body(request)


def parse_json(body: bytes) -> Any:
    """Raises Problem (400) if the body is not JSON."""
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError:
        return parse_slowly(body)


def read_body(request: ApiRequest) -> bytes:
    """Raises TooManyBodies, or Problem: 415 for a Content-Encoding, 413 over the limit, 400 if cut off."""
    if request.environ.get("HTTP_CONTENT_ENCODING", "identity").lower() != "identity":
        raise Problem(415, "the body has a Content-Encoding; send it without one")
    length, limit = request.length, request.max_content_length or 0
    if length is None:
        return _read_chunked(request, limit)
    if length > limit:
        raise RequestEntityTooLarge
    if length > UNCOUNTED:
        request.hold(length)
    return b"".join(request.bodies.pieces(request.environ, length))


def _read_chunked(request: ApiRequest, limit: int) -> bytes:
    request.hold(limit)  # it may become as long
    body = bytearray()
    for piece in request.bodies.pieces(request.environ, None):
        body += piece
        if len(body) > limit:
            raise RequestEntityTooLarge
    request.hold(len(body) - limit)
    return bytes(body)


def _invalid(faults: list[Fault]) -> Problem:
    return Problem(422, "the body is not a valid request for a prediction; see errors", faults)


def refuse_many_members(sent: Any) -> None:
    """Raises Problem (422) for a body with more members than can be right, before they are looked at."""
    if isinstance(sent, dict) and len(sent) > MAX_MEMBERS:
        fault = Fault("", f"has {len(sent)} members", "unknown")
        raise Problem(422, "the body has too many members; see errors", [fault])
