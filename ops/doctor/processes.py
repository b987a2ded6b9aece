"""Which processes are alive, of which release, and whether they keep up with the queue."""

from collections.abc import Iterator
from typing import Any

from jobs import RELEASE
from jobs.queues.capacity import MOST_SECONDS
from ops.doctor.finding import Finding, fault, ok, or_else, warning


def look(now: dict[str, Any]) -> Iterator[Finding]:
    """`now` is the capacity, with its processes if they are known."""
    yield _workers(now)
    if "processes" in now:
        yield _web(now["processes"])
    yield from or_else(_releases(now), ok("releases", RELEASE))
    yield from or_else(_queue(now), ok("queue", f"{now['waiting']} jobs waiting"))


def _workers(now: dict[str, Any]) -> Finding:
    if now["workers"]:
        return ok("workers", f"{now['workers']}, with {now['children']} children")
    if now["waiting"]:
        return fault("workers", f"none is alive and {now['waiting']} jobs wait; start python -m worker")
    return warning("workers", "none is alive: posted jobs will wait; start python -m worker")


def _web(processes: list[dict[str, Any]]) -> Finding:
    alive = sum(process["of"] == "web" for process in processes)
    if alive:
        return ok("web", f"{alive} processes")
    return warning("web", "no process is alive; start python -m web")


def _releases(now: dict[str, Any]) -> Iterator[Finding]:
    releases = now["releases"]
    if len(releases) > 1:
        known = sorted({f"{each['of']} {each['release']}" for each in now.get("processes", ())})
        yield warning(
            "releases",
            f"several are running ({', '.join(known or releases)}); finish the deployment, workers first",
        )
    elif releases and releases != [RELEASE]:
        yield warning("releases", f"web and workers run {releases[0]}, but this is the doctor of {RELEASE}")


def _queue(now: dict[str, Any]) -> Iterator[Finding]:
    if not now["accepting"]:
        yield fault("queue", f"web accepts no more jobs: {now['waiting']} wait, or Redis is nearly full")
    if now["oldest_age_seconds"] > MOST_SECONDS:
        yield warning(
            "queue",
            f"the oldest of {now['waiting']} jobs has waited {now['oldest_age_seconds']:.0f} s; add workers",
        )
