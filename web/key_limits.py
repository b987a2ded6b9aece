"""The limits of each key that web checks before it reads a body, by what Redis had counted a second ago."""

import math
from collections import Counter
from collections.abc import Callable
from typing import NamedTuple

from jobs.errors import RateLimited, StoreShareUsed, TooManyRequests
from jobs.queues.usage import Usage, UsageReader
from jobs.settings import Settings

BYTES_OF_A_ROW = 1_024
"""A refused request counts towards the rate of its key as a row for each so many bytes of its body."""


class _Refusal(NamedTuple):
    error: type[RateLimited]
    until: float


class KeyLimits:
    """A limit of 0 is none."""

    def __init__(self, usage: UsageReader, settings: Settings, clock: Callable[[], float]) -> None:
        self._usage = usage
        self._rows_per_minute = settings.rows_per_minute
        self._max_percent = settings.max_memory_percent_per_key
        self._max_open_requests = settings.max_open_requests_per_key
        self._clock = clock
        self._refused: dict[str, int] = {}
        self._refusals: dict[str, _Refusal] = {}
        self._open: Counter[str] = Counter()

    def begin(self, owner: str) -> None:
        """A request begins, which must `end`. Raises TooManyRequests."""
        if self._open[owner] >= self._max_open_requests > 0:
            raise TooManyRequests(retry_after=1)
        self._open[owner] += 1

    def end(self, owner: str) -> None:
        self._open[owner] -= 1

    def check(self, owner: str) -> None:
        """Raises RateLimited or StoreShareUsed if this owner may post nothing now."""
        self._refused.setdefault(owner, 0)
        refusal = self._refusals.get(owner)
        if refusal and (seconds := math.ceil(refusal.until - self._clock())) > 0:
            raise refusal.error(retry_after=seconds)

    def refused(self, owner: str, body_bytes: int) -> None:
        """Counts a refused request towards the rate of its key."""
        rows = max(body_bytes // BYTES_OF_A_ROW, 1)
        self._refused[owner] = self._refused.get(owner, 0) + rows

    def refresh(self) -> None:
        """Reads what the owners who have posted since the last time have used. Raises StoreUnavailable."""
        if not (self._rows_per_minute or self._max_percent) or not self._refused:
            return
        max_kept = self._usage.max_memory() * self._max_percent / 100
        refused, self._refused = self._refused, {}
        for owner, usage in self._usage.of_owners(refused).items():
            if refusal := self._refusal(usage, max_kept):
                self._refusals[owner] = refusal
            else:
                self._refusals.pop(owner, None)

    def _refusal(self, usage: Usage, max_kept: float) -> _Refusal | None:
        now = self._clock()
        if max_kept and (over := usage.kept.size - max_kept) >= 0:
            return _Refusal(StoreShareUsed, now + (usage.kept.seconds_until_free(over, now) or 1))
        if self._rows_per_minute and usage.rows >= self._rows_per_minute:
            return _Refusal(RateLimited, now + 60 - now % 60)
        return None
