"""Who lives, of which release, and whether what waits is worked off."""

from collections.abc import Iterator

from jobs import RELEASE
from jobs.cli.api import Resource
from jobs.cli.doctor.finding import Finding, fault, ok, or_else, warning
from jobs.queues.capacity import MOST_SECONDS


def look(now: Resource) -> Iterator[Finding]:
    yield _workers(now)
    if "processes" in now:
        yield _web(now["processes"])
    yield from or_else(_releases(now), ok("releases", RELEASE))
    yield from or_else(_line(now), ok("line", f"{now['waiting']} jobs wait"))


def _workers(now: Resource) -> Finding:
    if now["workers"]:
        return ok("workers", f"{now['workers']}, with {now['children']} children")
    if now["waiting"]:
        return fault("workers", f"none lives, and {now['waiting']} jobs wait: start python -m worker")
    return warning("workers", "none lives: whatever is posted will wait")


def _web(processes: list[Resource]) -> Finding:
    alive = sum(process["of"] == "web" for process in processes)
    if alive:
        return ok("web processes", str(alive))
    return warning("web processes", "none lives: start python -m web")


def _releases(now: Resource) -> Iterator[Finding]:
    releases = now["releases"]
    if len(releases) > 1:
        known = sorted({f"{each['of']} {each['release']}" for each in now.get("processes", ())})
        yield warning(
            "releases", f"several run: {', '.join(known or releases)}; end the deployment, workers first"
        )
    elif releases and releases != [RELEASE]:
        yield warning("releases", f"web and workers are of {releases[0]}, and this doctor is of {RELEASE}")


def _line(now: Resource) -> Iterator[Finding]:
    if not now["accepting"]:
        yield fault("line", f"nothing more is accepted: {now['waiting']} jobs wait, or Redis is nearly full")
    if now["oldest_age_seconds"] > MOST_SECONDS:
        yield warning(
            "line",
            f"the oldest of {now['waiting']} jobs has waited {now['oldest_age_seconds']:.0f} s: add workers",
        )
