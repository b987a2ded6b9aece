"""Whether Paygrade can use this Redis, and whether this Redis keeps accepted jobs."""

import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from redis import Redis, ResponseError

from jobs.files.store import MIB
from jobs.queues.capacity import JOB_BYTES, OUTPUT_BYTES
from jobs.queues.connection import store_errors
from jobs.settings import Settings
from ops.doctor.finding import Finding, fault, ok, or_else, warning
from ops.errors import RedisRefused

OLDEST = (7, 0)
"""The first version with scripts that may run while Redis is full."""
CLOCKS_APART_SECONDS = 1
NEEDED = {
    *("redis_version", "role", "maxmemory", "maxmemory_policy", "used_memory"),
    *("aof_enabled", "aof_last_write_status", "aof_last_bgrewrite_status"),
}
"""The fields of INFO that are looked at."""
_LOSSES = {
    "always": ", appendfsync always: no accepted job is lost",
    "everysec": ", appendfsync everysec: the jobs accepted in the last seconds are lost if Redis is killed "
    "while the disk is slow, or its host dies; always loses none",
}
"""What may be lost, by appendfsync."""


class Facts(NamedTuple):
    info: dict[str, Any]
    """The answer to INFO."""
    appendfsync: str | None
    """None where CONFIG is not allowed, as on ElastiCache."""
    ahead_seconds: float
    """By how much Redis' clock is ahead of this machine's."""

    @classmethod
    def gather(cls, redis: Redis) -> "Facts":
        """Raises StoreUnavailable, and RedisRefused if INFO lacks what is needed."""
        with store_errors():
            before = time.time()
            seconds, microseconds = redis.time()
            middle = (before + time.time()) / 2
            info: Any = redis.info()
            appendfsync = _appendfsync(redis)
        if missing := sorted(NEEDED - info.keys()):
            raise RedisRefused(f"this Redis cannot be checked: its INFO has no {missing[0]}")
        return cls(info, appendfsync, seconds + microseconds / 1e6 - middle)


def look(facts: Facts, settings: Settings) -> Iterator[Finding]:
    info = facts.info
    release = info.get("valkey_version") or info["redis_version"]
    name = "Valkey" if "valkey_version" in info else "Redis"
    yield from or_else(_kind(info), ok("redis", f"{name} {release}"))
    yield from or_else(_memory(info, settings), ok("memory", _used(info)))
    yield from or_else(_persistence(facts), ok("persistence", _kept(facts.appendfsync)))
    yield from or_else(_clock(facts.ahead_seconds), ok("clock", f"{facts.ahead_seconds:+.3f} s"))


def _appendfsync(redis: Redis) -> str | None:
    try:
        found: Any = redis.config_get("appendfsync")
    except ResponseError:
        return None
    return found.get("appendfsync")  # type: ignore[no-any-return]


def _kind(info: dict[str, Any]) -> Iterator[Finding]:
    major, minor = map(int, info["redis_version"].split(".")[:2])
    if (major, minor) < OLDEST:
        yield fault("redis", f"Redis {info['redis_version']} is too old; use 7.0 or newer, or Valkey")
    if info["role"] != "master":
        yield fault("redis", "this is a replica, which cannot be written to; set REDIS_URL to the primary")
    if info.get("cluster_enabled"):
        yield fault("redis", "cluster mode is on, which Celery does not support; turn it off")


def _memory(info: dict[str, Any], settings: Settings) -> Iterator[Finding]:
    policy, limit = info["maxmemory_policy"], info["maxmemory"]
    if policy != "noeviction":
        yield fault("memory", f"maxmemory-policy is {policy}, so Redis may drop jobs; set noeviction")
    if not limit:
        yield warning("memory", "maxmemory is not set, so web cannot tell when Redis is full; set it")
        return
    percent = settings.max_memory_percent
    room = limit * percent / 100
    if info["used_memory"] >= room:
        yield fault("memory", f"{_used(info)}: web refuses jobs above {percent} %; raise maxmemory")
    if percent > 90:
        yield warning(
            "memory",
            f"PAYGRADE_MAX_MEMORY_PERCENT is {percent}: workers may find no room for their results; "
            "set 90 or less",
        )
    needed = settings.max_waiting * (JOB_BYTES + OUTPUT_BYTES)
    if needed > room:
        yield warning(
            "memory",
            f"PAYGRADE_MAX_WAITING is {settings.max_waiting}, which needs {needed // MIB} MiB or more, but "
            f"web refuses jobs above {int(room) // MIB} MiB; raise maxmemory or lower PAYGRADE_MAX_WAITING",
        )


def _persistence(facts: Facts) -> Iterator[Finding]:
    info = facts.info
    if not info["aof_enabled"]:
        yield warning(
            "persistence",
            "there is no append-only file, so jobs are lost when Redis stops; set appendonly yes",
        )
        return
    if info["aof_last_write_status"] != "ok":
        yield fault(
            "persistence", "Redis cannot write its append-only file and refuses jobs; check its disk space"
        )
    if info["aof_last_bgrewrite_status"] != "ok":
        yield warning(
            "persistence", "Redis could not rewrite its append-only file, which grows; check its disk space"
        )
    if facts.appendfsync == "no":
        yield warning(
            "persistence",
            "appendfsync is no: half a minute of jobs may be lost if the host of Redis dies; set always",
        )


def _clock(ahead: float) -> Iterator[Finding]:
    if abs(ahead) > CLOCKS_APART_SECONDS:
        side = "ahead of" if ahead > 0 else "behind"
        yield warning(
            "clock",
            f"Redis' clock is {abs(ahead):.1f} s {side} this machine's: ids are made by one, deadlines are "
            "checked by the other; synchronize both (NTP)",
        )


def _used(info: dict[str, Any]) -> str:
    return f"{info['used_memory'] // MIB} of {info['maxmemory'] // MIB} MiB used"


def _kept(appendfsync: str | None) -> str:
    return f"append-only file{_LOSSES.get(appendfsync or '', '')}"
