"""Redis: whether it is of a kind that Paygrade can stand on, and keeps what it is given."""

import time
from collections.abc import Iterator
from typing import Any, NamedTuple

from redis import Redis, ResponseError

from jobs.cli.direct import answered
from jobs.cli.doctor.finding import Finding, fault, ok, or_else, warning
from jobs.cli.errors import CannotAsk
from jobs.queues.capacity import JOB_BYTES, OUTPUT_BYTES
from jobs.settings import Settings

OLDEST = (7, 0)
"""The first in which scripts may say that they run when Redis is full."""
CLOCKS_APART_SECONDS = 1
TOLD = {
    *("redis_version", "role", "maxmemory", "maxmemory_policy", "used_memory"),
    *("aof_enabled", "aof_last_write_status", "aof_last_bgrewrite_status"),
}
"""Of INFO, what is judged here."""
MIB = 1024 * 1024


class Facts(NamedTuple):
    info: dict[str, Any]
    """As INFO has it."""
    appendfsync: str | None
    """None where nobody may ask, as at ElastiCache."""
    ahead_seconds: float
    """What Redis' clock is ahead of this machine's."""

    @classmethod
    def gather(cls, redis: Redis) -> "Facts":
        """Raises StoreUnavailable, or CannotAsk where Redis refuses."""
        with answered(), talking():
            before = time.time()
            seconds, microseconds = redis.time()
            middle = (before + time.time()) / 2
            info: Any = redis.info()
            appendfsync = _appendfsync(redis)
        if untold := sorted(TOLD - info.keys()):
            raise CannotAsk(f"what answers is no Redis that can be judged: its INFO has no {untold[0]}")
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
        yield fault("redis", f"Redis {info['redis_version']} is too old: it takes 7.0 or newer, or Valkey")
    if info["role"] != "master":
        yield fault("redis", "this is a replica, which takes nothing in; REDIS_URL must name the primary")
    if info.get("cluster_enabled"):
        yield fault("redis", "cluster mode is on, which Celery does not know: turn it off")


def _memory(info: dict[str, Any], settings: Settings) -> Iterator[Finding]:
    policy, limit = info["maxmemory_policy"], info["maxmemory"]
    if policy != "noeviction":
        yield fault("memory", f"maxmemory-policy is {policy}, and Redis may drop jobs; set noeviction")
    if not limit:
        yield warning("memory", "maxmemory is not set, and the door cannot tell when Redis is full; set it")
        return
    percent = settings.max_memory_percent
    room = limit * percent / 100
    if info["used_memory"] >= room:
        yield fault("memory", f"{_used(info)}: above {percent} % the door refuses; give it more")
    if percent > 90:
        yield warning(
            "memory",
            f"PAYGRADE_MAX_MEMORY_PERCENT is {percent}: workers may find no room for what they scored",
        )
    wanted = settings.max_waiting * (JOB_BYTES + OUTPUT_BYTES)
    if wanted > room:
        yield warning(
            "memory",
            f"PAYGRADE_MAX_WAITING is {settings.max_waiting}, which take {wanted // MIB} MiB or more; the "
            f"door refuses above {int(room) // MIB}: raise maxmemory, or lower it",
        )


def _persistence(facts: Facts) -> Iterator[Finding]:
    info = facts.info
    if not info["aof_enabled"]:
        yield warning(
            "persistence",
            "there is no append-only file, and jobs are lost when Redis ends; set appendonly yes",
        )
        return
    if info["aof_last_write_status"] != "ok":
        yield fault(
            "persistence", "Redis cannot write its append-only file, and refuses jobs: is its disk full?"
        )
    if info["aof_last_bgrewrite_status"] != "ok":
        yield warning(
            "persistence", "Redis could not make its append-only file anew: it grows; is its disk full?"
        )
    if facts.appendfsync == "no":
        yield warning(
            "persistence", "appendfsync is no, and half a minute of jobs may be missing if its host dies"
        )


def _clock(ahead: float) -> Iterator[Finding]:
    if abs(ahead) > CLOCKS_APART_SECONDS:
        side = "ahead of" if ahead > 0 else "behind"
        yield warning(
            "clock",
            f"Redis' clock is {abs(ahead):.1f} s {side} this machine's: when jobs were made is told by one, "
            "deadlines by the other; let both keep time (NTP)",
        )


def _used(info: dict[str, Any]) -> str:
    return f"{info['used_memory'] // MIB} of {info['maxmemory'] // MIB} MiB used"


def _kept(appendfsync: str | None) -> str:
    how = f", appendfsync {appendfsync}" if appendfsync else ""
    return f"append-only file{how}"
