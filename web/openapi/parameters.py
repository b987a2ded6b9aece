"""What may stand in a path, a query or a header."""

from typing import Any

from web.openapi.page import FILES
from web.pages import DEFAULT_LIMIT, MOST
from web.preferences import LONGEST_SECONDS

Parameter = dict[str, Any]

_SECONDS, _MINUTES = "(?:[0-5]?[0-9][sS]?)?", "(?:[0-5]?[0-9][mM])?"
DURATION = (
    "^0{0,3}(?:[1-9][0-9]{0,4}[sS]?"
    f"|[1-9][0-9]{{0,2}}[mM]{_SECONDS}"
    f"|[1-9][0-9]?[hH]{_MINUTES}{_SECONDS})$"
)
"""Of times of up to 7 days those that a pattern can tell."""

LONGEST_WAIT = f"capped at {LONGEST_SECONDS}"


def in_query(name: str, description: str, **schema: Any) -> Parameter:
    return {"name": name, "in": "query", "description": description, "schema": schema}


def in_path(name: str, description: str, schema: Parameter) -> Parameter:
    return {"name": name, "in": "path", "required": True, "description": description, "schema": schema}


def _in_header(name: str, description: str, schema: Parameter, **more: Any) -> Parameter:
    return {"name": name, "in": "header", "description": description, "schema": schema, **more}


PREFER = _in_header(
    "Prefer",
    f"`wait=N` waits for the end, N seconds, {LONGEST_WAIT}; `respond-async` never does (RFC 7240)",
    {"type": "string"},
    examples={"wait": {"value": "wait=10"}, "at once": {"value": "respond-async"}},
)
ONCE = _in_header(
    "Idempotency-Key",
    "The same key and body give the same job, as long as it is kept; a key of your own for each request",
    {"type": "string", "pattern": r"^[\x21-\x7e]{1,255}$"},
)
CANCEL_AFTER = _in_header(
    "Cancel-After",
    "Not started by then, the job is `expired`: 1 s to 7 days, as in `30s`, `5m` or `1h30m`",
    {"type": "string", "pattern": DURATION},
)
WAIT = in_query(
    "wait",
    f"Seconds to wait for the end, {LONGEST_WAIT}",
    type="integer",
    minimum=0,
    maximum=999_999_999,
    default=0,
)
LIMIT = in_query(
    "limit", "Most jobs of a page", type="integer", minimum=1, maximum=MOST, default=DEFAULT_LIMIT
)
FILE = in_path("file", "Name of the file", {"enum": list(FILES)})
