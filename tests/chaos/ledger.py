"""What callers asked for, what they were promised, and what they were told."""

import threading
import time
from dataclasses import dataclass, field
from math import inf
from typing import Any

FINAL = frozenset({"succeeded", "partially_succeeded", "failed", "canceled", "expired"})
HONEST = frozenset({200, 202, 204, 206, 404, 409, 410, 429, 503})
TOLD = ("status", "output", "outputs", "counts", "error", "finished_at")


@dataclass
class Posted:
    """One job that a caller wants, however often it must be sent; `first` and `rows` are its steps."""

    tag: str
    path: str
    first: int
    rows: int
    is_list: bool = False
    explain: bool = False
    results: str = ""
    """Of a batch: the format."""
    key: str = ""
    ids: set[str] = field(default_factory=set)
    told: dict[str, Any] | None = None
    """How it ended, once a caller was told."""
    may_be_canceled: bool = False
    may_be_gone: bool = False

    @property
    def is_batch(self) -> bool:
        return bool(self.results)


class ChaosLedger:
    """Written by all callers."""

    def __init__(self) -> None:
        self.posted: list[Posted] = []
        self.dishonest: list[str] = []
        self.changed: list[str] = []
        self.longest_stall = 0.0
        self._last_end = inf  # no stall before the first
        self._lock = threading.Lock()

    def wants(self, posted: Posted) -> Posted:
        self.posted.append(posted)
        return posted

    def accepted(self) -> list[Posted]:
        return [posted for posted in self.posted if posted.ids]

    def note_status(self, what: str, status: int, text: str) -> None:
        if status not in HONEST:
            self.dishonest.append(f"{what} was answered with {status}: {text[:300]}")

    def note(self, posted: Posted, resource: dict[str, Any]) -> None:
        """What a caller was told of a job; once it has ended nothing of it may change."""
        posted.ids.add(resource["id"])
        if resource["status"] not in FINAL:
            if posted.told:
                self.changed.append(f"{resource['id']} had ended and is {resource['status']}")
            return
        told = {name: resource.get(name) for name in TOLD}
        with self._lock:
            if posted.told is None:
                now = time.monotonic()
                self.longest_stall = max(self.longest_stall, now - self._last_end)
                self._last_end, posted.told = now, told
        if posted.told != told:
            self.changed.append(f"{resource['id']} was told as {posted.told}, then as {told}")
