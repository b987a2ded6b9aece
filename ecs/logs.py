"""logs: shows the log lines of the tasks; with --json, one object for each line."""

import argparse
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from ecs.aws import code_of
from ecs.deployment import Deployment
from ecs.durations import parse_duration
from ecs.errors import NEXT_STEP_CREATE, ResourceNotFound
from ecs.names import SERVICES
from ecs.screen import Screen

HELP = "show the log lines of the tasks"
EXAMPLES = """\
  python -m ecs logs
  python -m ecs logs worker --since 2h
  python -m ecs logs web --follow
"""
POLL_SECONDS = 2.0
MAX_DELAY_MS = 15_000
"""CloudWatch can deliver a line this much later than a newer one."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("service", nargs="?", choices=SERVICES, help="only this service (default: all)")
    parser.add_argument("--follow", "-f", action="store_true", help="continue until Ctrl-C")
    parser.add_argument(
        "--since",
        default="10m",
        metavar="AGE",
        help="age of the oldest line, such as 30s, 10m, 2h, 1d (default: %(default)s)",
    )


def run(deployment: Deployment, screen: Screen, options: argparse.Namespace) -> int:
    since = max(0, int(time.time() * 1000) - parse_duration(options.since, "--since") * 1000)
    services = [options.service] if options.service else list(SERVICES)
    reader = LogReader(deployment, services, since)
    shown = 0
    try:
        while True:
            for service, event in reader.read():
                shown += 1
                _show(screen, service, event)
            if not options.follow:
                break
            deployment.wait(POLL_SECONDS)
    except KeyboardInterrupt:
        return 0
    if not shown:
        screen.print(f"no log lines in the last {options.since}; a larger --since looks further back")
    return 0


class LogReader:
    """Returns each line once, although CloudWatch delivers them out of order."""

    def __init__(self, deployment: Deployment, services: list[str], since_ms: int, stream: str = "") -> None:
        self._logs = deployment.aws.client("logs")
        self._groups = {service: deployment.names.log_group(service) for service in services}
        self._since_ms = since_ms
        self._seen: dict[str, int] = {}
        self._stream = {"logStreamNames": [stream]} if stream else {}

    def read(self) -> list[tuple[str, dict[str, Any]]]:
        """The services and events that arrived since the last call, oldest first."""
        new = [
            (service, event)
            for service, group in self._groups.items()
            for event in self._events(group)
            if event["eventId"] not in self._seen
        ]
        self._seen |= {event["eventId"]: event["timestamp"] for _, event in new}
        newest = max(self._seen.values(), default=0)
        self._since_ms = max(self._since_ms, newest - MAX_DELAY_MS)
        self._seen = {event_id: at for event_id, at in self._seen.items() if at >= self._since_ms}
        return sorted(new, key=lambda each: each[1]["timestamp"])

    def _events(self, group: str) -> Iterator[dict[str, Any]]:
        pages = self._logs.get_paginator("filter_log_events").paginate(
            logGroupName=group, startTime=self._since_ms, **self._stream
        )
        try:
            for page in pages:
                yield from page["events"]
        except ClientError as error:
            if code_of(error) != "ResourceNotFoundException":
                raise
            if not self._stream:  # a stream does not exist before its first line
                raise ResourceNotFound(f"there is no log group {group}", NEXT_STEP_CREATE) from None


def _show(screen: Screen, service: str, event: dict[str, Any]) -> None:
    at = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
    task = event.get("logStreamName", "").rpartition("/")[2][:8]
    if screen.as_json:
        screen.result({"at": at, "service": service, "task": task, "message": event["message"]})
    else:
        screen.print(f"{at:%H:%M:%S} {service}/{task}  {event['message'].rstrip()}")
