"""Settings that are each allowed, but do not fit one another."""

from collections.abc import Iterator

from jobs.queues.capacity import MOST_SECONDS
from jobs.queues.connection import WORKER_ANSWER_SECONDS
from jobs.settings import Settings
from ops.doctor.finding import Finding, ok, or_else, warning

SHORTEST_LEASE = WORKER_ANSWER_SECONDS + 1
LONGEST_LEASE = 25
"""The jobs of a killed worker must run again within 30 s, which includes the sweeper's interval."""
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
            f"PAYGRADE_LEASE_SECONDS is {lease}, but a worker waits up to {WORKER_ANSWER_SECONDS} s for "
            f"Redis and would count as lost while it is alive; set {SHORTEST_LEASE} or more",
        )
    if lease > LONGEST_LEASE:
        yield warning(
            "lease",
            f"PAYGRADE_LEASE_SECONDS is {lease}: the jobs of a killed worker wait that long before they run "
            f"again; set {LONGEST_LEASE} or less",
        )


def _attempts(attempts: int) -> Iterator[Finding]:
    if attempts == 1:
        yield warning(
            "attempts",
            "PAYGRADE_ATTEMPTS is 1: a job fails as soon as its worker is lost, for example in a deployment; "
            "set 2 or more",
        )
    if attempts > MOST_ATTEMPTS:
        yield warning(
            "attempts",
            f"PAYGRADE_ATTEMPTS is {attempts}: a row that kills workers kills that many; "
            f"set {MOST_ATTEMPTS} or less",
        )


def _retention(retention: int) -> Iterator[Finding]:
    if retention < SHORTEST_RETENTION:
        yield warning(
            "retention",
            f"PAYGRADE_RETENTION_SECONDS is {retention}: Retry-After can be {MOST_SECONDS} s, so a caller "
            f"may come back after the result has expired; set {SHORTEST_RETENTION} or more",
        )


def _keys(settings: Settings) -> Iterator[Finding]:
    """Malformed entries are left to web, which does not start with them."""
    entries = [entry.strip() for entry in settings.api_keys.get_secret_value().split(",") if entry.strip()]
    if settings.api_keys_file:
        yield ok("keys", "they are in PAYGRADE_API_KEYS_FILE, which web checks")
        return
    if not entries:
        yield (
            warning("keys", "none are set, and PAYGRADE_ALLOW_ANYONE admits everyone who can reach web")
            if settings.allow_anyone
            else ok("keys", "none are set: web listens on loopback only")
        )
        return
    operating = sum(entry.endswith("operate") for entry in entries)
    if settings.allow_anyone:
        yield warning("keys", "PAYGRADE_ALLOW_ANYONE is set but has no effect, because keys are set")
    if not operating:
        yield warning("keys", f"none of {len(entries)} has the scope operate, so no key can read /metrics")
    else:
        yield ok("keys", f"{len(entries)}, of which {operating} may operate")
