"""Lists of a caller's jobs: reads the query, and writes a page of the list."""

import re
from enum import StrEnum
from urllib.parse import urlencode

import orjson
from flask import Request

from jobs import ids
from jobs.errors import InvalidId
from web.problems import Problem
from web.submission import PageQuery

DEFAULT_LIMIT, MAX_LIMIT = 20, 100


def read_page_query(request: Request, prefix: str, statuses: type[StrEnum]) -> PageQuery:
    """`prefix` begins the ids of the listed jobs. Raises Problem (400)."""
    query = request.args
    if unknown := sorted(query.keys() - {"cursor", "status", "limit"}):
        raise _wrong_query(f"the query has {unknown[0][:64]}; a list takes only cursor, status and limit")
    limit, status, cursor = read_limit(request), query.get("status"), query.get("cursor")
    if status is not None and status not in set(statuses):
        raise _wrong_query(f"status must be one of {', '.join(statuses)}")
    try:
        if cursor is not None:
            ids.check(cursor, prefix)
    except InvalidId:
        raise _wrong_query("cursor must be the next_cursor of the previous page") from None
    return PageQuery(cursor, status or None, limit)


def read_limit(request: Request) -> int:
    """The most entries on a page. Raises Problem (400)."""
    limit = request.args.get("limit", str(DEFAULT_LIMIT))
    if not re.fullmatch(r"[0-9]{1,9}", limit) or not 1 <= int(limit) <= MAX_LIMIT:
        raise _wrong_query(f"limit must be a whole number from 1 to {MAX_LIMIT}")
    return int(limit)


def _wrong_query(detail: str) -> Problem:
    return Problem(400, detail, reason="query")


def write_page(resources: list[bytes], query: PageQuery, cursor: str | None, path: str) -> bytes:
    """The page as JSON. `cursor` is the cursor of the next page."""
    following = {"cursor": cursor, "status": query.status, "limit": query.limit}
    encoded = urlencode({name: value for name, value in following.items() if value is not None})
    return orjson.dumps(
        {
            "object": "list",
            "data": [orjson.Fragment(resource) for resource in resources],
            "next_cursor": cursor,
            "urls": {"next": f"{path}?{encoded}" if cursor else None},
        }
    )
