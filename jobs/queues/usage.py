"""What each owner has used of its limits, and when the store has room again."""

import math
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from redis import Redis

from jobs.queues.connection import store_errors
from jobs.queues.names import BATCH, PREDICTION
from jobs.queues.script_calls import Script

MOST_OWNERS = 50
"""Owners that one call reads, so that it does not hold up other calls of Redis for long."""


class Kept(NamedTuple):
    """About how many bytes of ended jobs expire in each minute, which is counted from 1970; in order."""

    minutes: tuple[tuple[int, int], ...] = ()

    @classmethod
    def merge(cls, many: Sequence["Kept"]) -> "Kept":
        merged: dict[int, int] = {}
        for kept in many:
            for minute, size in kept.minutes:
                merged[minute] = merged.get(minute, 0) + size
        return cls(tuple(sorted(merged.items())))

    @property
    def size(self) -> int:
        return sum(size for _, size in self.minutes)

    def seconds_until_free(self, wanted: float, now: float) -> int | None:
        """Whole seconds until so many bytes have expired; None if more is wanted than is kept."""
        for minute, size in self.minutes:
            if size >= wanted:
                share = max(wanted, 0) / size if size else 0
                return max(math.ceil((minute + share) * 60 - now), 1)
            wanted -= size
        return None


class Usage(NamedTuple):
    rows: int
    """Posted in this minute."""
    kept: Kept


class Holding(NamedTuple):
    """The jobs of an owner that have not expired, and what else counts for its limits."""

    predictions: int
    batches: int
    usage: Usage


class UsageReader:
    """Every method raises StoreUnavailable if Redis does not answer in time."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._usage = Script(redis, "queues/usage")

    def of_owners(self, refused: Mapping[str, int]) -> dict[str, Usage]:
        """Counts the refused rows of each of these owners towards its rate, and reads what it has used."""
        usages: dict[str, Usage] = {}
        owners = list(refused.items())
        for first in range(0, len(owners), MOST_OWNERS):
            some = owners[first : first + MOST_OWNERS]
            for (owner, _), found in zip(some, self._usage(some), strict=True):
                pairs = sorted(zip(map(int, found.kept[::2]), map(int, found.kept[1::2]), strict=True))
                usages[owner] = Usage(int(found.rows), Kept(tuple(pairs)))
        return usages

    def holdings(self, owners: Sequence[str]) -> dict[str, Holding]:
        with store_errors(), self._redis.pipeline(transaction=False) as pipeline:
            for owner in owners:
                for kind in (PREDICTION, BATCH):
                    pipeline.zcard(kind.list_of(owner))
            counts = pipeline.execute()
        usages = self.of_owners(dict.fromkeys(owners, 0))
        return {
            owner: Holding(counts[2 * i], counts[2 * i + 1], usages[owner]) for i, owner in enumerate(owners)
        }

    def kept_by_all(self) -> Kept:
        with store_errors():
            owners: Any = self._redis.zrange("kept", 0, -1)
        usages = self.of_owners({owner.decode(): 0 for owner in owners})
        return Kept.merge([usage.kept for usage in usages.values()])

    def max_memory(self) -> int:
        """Bytes; 0 if Redis has no limit."""
        with store_errors():
            return int(self._redis.info("memory")["maxmemory"])
