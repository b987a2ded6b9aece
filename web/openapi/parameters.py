"""Parameters in paths, queries and headers."""

from typing import Any

from web.lists import DEFAULT_LIMIT, MAX_LIMIT
from web.openapi.docs_page import FILES
from web.submission import LONGEST_WAIT_SECONDS

Parameter = dict[str, Any]

_SECONDS, _MINUTES = "(?:[0-5]?[0-9][sS]?)?", "(?:[0-5]?[0-9][mM])?"
DURATION = (
    "^0{0,3}(?:[1-9][0-9]{0,4}[sS]?"
    f"|[1-9][0-9]{{0,2}}[mM]{_SECONDS}"
    f"|[1-9][0-9]?[hH]{_MINUTES}{_SECONDS})$"
)
"""Matches only durations of up to 7 days, though not all of them: a pattern cannot add."""

LONGEST_WAIT = f"at most {LONGEST_WAIT_SECONDS}, or up to 55 while a sleeping worker is started"


def in_query(name: str, description: str, **schema: Any) -> Parameter:
    return {"name": name, "in": "query", "description": description, "schema": schema}


def in_path(name: str, description: str, schema: Parameter) -> Parameter:
    return {"name": name, "in": "path", "required": True, "description": description, "schema": schema}


def _in_header(name: str, description: str, schema: Parameter, **more: Any) -> Parameter:
    return {"name": name, "in": "header", "description": description, "schema": schema, **more}


PREFER = _in_header(
    "Prefer",
    f"`wait=N` waits up to N seconds for the end, {LONGEST_WAIT}; `respond-async` never waits (RFC 7240)",
    {"type": "string"},
    examples={"wait": {"value": "wait=10"}, "at once": {"value": "respond-async"}},
)
IDEMPOTENCY_KEY = _in_header(
    "Idempotency-Key",
    "The same key and body give the same job, for as long as the job is kept. Use a new key for each request",
    {"type": "string", "pattern": r"^[\x21-\x7e]{1,255}$"},
)
CANCEL_AFTER = _in_header(
    "Cancel-After",
    "A job that has not started by then becomes `expired`: 1 s to 7 days, as in `30s`, `5m` or `1h30m`",
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
    "limit", "The most jobs on a page", type="integer", minimum=1, maximum=MAX_LIMIT, default=DEFAULT_LIMIT
)
GUIDE_FILE = in_path("file", "Path of the page or file, such as README.html", {"minLength": 1})
FILE = in_path("file", "Name of the file", {"enum": list(FILES)})
