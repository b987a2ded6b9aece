"""Lists of a caller's jobs, page by page: which page is asked for, and how it is answered."""

import re
from collections.abc import Callable
from enum import StrEnum
from typing import NamedTuple, TypeAlias, TypeVar
from urllib.parse import urlencode

import orjson
from flask import Request

from jobs import ids
from jobs.errors import InvalidId
from web.problems import Problem

DEFAULT_LIMIT, MOST = 20, 100
LOOKS = 20
"""Calls of the store for one page, where few jobs are of the status that is asked for."""


Job = TypeVar("Job")
List: TypeAlias = Callable[[str, str | None, str | None, int], tuple[list[Job], str | None]]
"""Of an owner's jobs behind an id, of a status, at most so many; and the id to go on behind."""


class Page(NamedTuple):
    cursor: str | None
    status: str | None
    limit: int

    @classmethod
    def read(cls, request: Request, kind: str, states: type[StrEnum]) -> "Page":
        """Of jobs of a kind (ids.py) and their states. Raises Problem (400) for what cannot be read."""
        asked = request.args
        if unknown := sorted(asked.keys() - {"cursor", "status", "limit"}):
            raise Problem(400, f"a list takes cursor, status and limit, and not {unknown[0][:64]}")
        limit, status, cursor = (
            asked.get("limit", str(DEFAULT_LIMIT)),
            asked.get("status"),
            asked.get("cursor"),
        )
        if not re.fullmatch(r"[0-9]{1,9}", limit) or not 1 <= int(limit) <= MOST:
            raise Problem(400, f"limit takes a whole number from 1 to {MOST}")
        if status is not None and status not in set(states):
            raise Problem(400, f"status takes one of {', '.join(states)}")
        try:
            if cursor is not None:
                ids.check(cursor, kind)
        except InvalidId:
            raise Problem(400, "cursor takes what next_cursor of the page before was") from None
        return cls(cursor, status or None, int(limit))

    def find(self, list_jobs: List[Job], owner: str) -> tuple[list[Job], str | None]:
        """The jobs of the page, and the cursor of the next; None if this is the last."""
        found: list[Job] = []
        cursor = self.cursor
        for _ in range(LOOKS):
            more, cursor = list_jobs(owner, cursor, self.status, self.limit - len(found))
            found += more
            if cursor is None or len(found) == self.limit:
                break
        return found, cursor

    def show(self, resources: list[bytes], cursor: str | None, path: str) -> bytes:
        """The answer as JSON."""
        query = {"cursor": cursor, "status": self.status, "limit": self.limit}
        following = urlencode({name: value for name, value in query.items() if value is not None})
        return orjson.dumps(
            {
                "object": "list",
                "data": [orjson.Fragment(resource) for resource in resources],
                "next_cursor": cursor,
                "urls": {"next": f"{path}?{following}" if cursor else None},
            }
        )
