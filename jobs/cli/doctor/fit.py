"""The settings against each other: each may be allowed, and two of them not fit."""

from collections.abc import Iterator

from jobs.cli.doctor.finding import Finding, ok, or_else, warning
from jobs.connection import WORKER_ANSWER_SECONDS
from jobs.queues.capacity import MOST_SECONDS
from jobs.settings import Settings

SHORTEST_LEASE = WORKER_ANSWER_SECONDS + 1
LONGEST_LEASE = 25
"""The jobs of a killed worker are to run again within 30 s, some of which are the sweeper's."""
MOST_ATTEMPTS = 5
SHORTEST_RETENTION = 5 * MOST_SECONDS


def look(settings: Settings) -> Iterator[Finding]:
    lease, attempts, retention = settings.lease_seconds, settings.attempts, settings.retention_seconds
    yield from or_else(_lease(lease), ok("lease", f"{lease} s"))
    yield from or_else(_attempts(attempts), ok("attempts", str(attempts)))
    yield from or_else(_retention(retention), ok("retention", f"{retention} s"))
    yield from _keys(settings)


def _lease(lease: int) -> Iterator[Finding]:
    if lease < SHORTEST_LEASE:
        yield warning(
            "lease",
            f"PAYGRADE_LEASE_SECONDS is {lease}: a worker may wait {WORKER_ANSWER_SECONDS} s for Redis, and "
            f"would count as lost while it lives; set {SHORTEST_LEASE} or more",
        )
    if lease > LONGEST_LEASE:
        yield warning(
            "lease",
            f"PAYGRADE_LEASE_SECONDS is {lease}: jobs of a killed worker wait so long to run again; "
            f"set {LONGEST_LEASE} or less",
        )


def _attempts(attempts: int) -> Iterator[Finding]:
    if attempts == 1:
        yield warning(
            "attempts",
            "PAYGRADE_ATTEMPTS is 1: a job fails as soon as its worker is lost, as in a deployment",
        )
    if attempts > MOST_ATTEMPTS:
        yield warning(
            "attempts", f"PAYGRADE_ATTEMPTS is {attempts}: a row that kills workers takes as many along"
        )


def _retention(retention: int) -> Iterator[Finding]:
    if retention < SHORTEST_RETENTION:
        yield warning(
            "retention",
            f"PAYGRADE_RETENTION_SECONDS is {retention}: callers are told to ask again after up to "
            f"{MOST_SECONDS} s, and may come too late; set {SHORTEST_RETENTION} or more",
        )


def _keys(settings: Settings) -> Iterator[Finding]:
    """Whether the entries are well-formed, web says as it starts."""
    entries = [entry.strip() for entry in settings.api_keys.get_secret_value().split(",") if entry.strip()]
    if not entries:
        yield (
            warning("keys", "there are none, and PAYGRADE_ALLOW_ANYONE lets in whoever reaches web")
            if settings.allow_anyone
            else ok("keys", "none: web listens on loopback only")
        )
        return
    operating = sum(entry.endswith(":operate") for entry in entries)
    if settings.allow_anyone:
        yield warning("keys", "PAYGRADE_ALLOW_ANYONE is set and has no effect, since there are keys")
    if not operating:
        yield warning("keys", f"none of {len(entries)} ends in :operate, and so none may read /metrics")
    else:
        yield ok("keys", f"{len(entries)}, of which {operating} may operate")
