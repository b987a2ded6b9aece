"""logs: what the tasks have written; with --json an object for each line."""

import argparse
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from ecs.aws import code_of
from ecs.deployment import Deployment
from ecs.errors import MAKE_IT, BadInput, NotThere
from ecs.names import SERVICES
from ecs.screen import Screen

HELP = "show what the tasks have written"
EXAMPLES = """\
  python -m ecs logs
  python -m ecs logs worker --since 2h
  python -m ecs logs web --follow
"""
LOOKS_EVERY_SECONDS = 2.0
LATE_MS = 15_000
"""A line may arrive so much later than one that was written after it."""
_AGE = re.compile(r"(\d+)([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("service", nargs="?", choices=SERVICES, help="one service (all)")
    parser.add_argument("--follow", "-f", action="store_true", help="go on until Ctrl-C")
    parser.add_argument("--since", default="10m", metavar="AGE", help="as in 30s, 10m, 2h, 1d (%(default)s)")


def run(deployment: Deployment, screen: Screen, options: argparse.Namespace) -> int:
    since = max(0, int(time.time() * 1000) - _age_ms(options.since))
    services = [options.service] if options.service else list(SERVICES)
    reading = Reading(deployment, services, since)
    shown = 0
    try:
        while True:
            for service, event in reading.more():
                shown += 1
                _show(screen, service, event)
            if not options.follow:
                break
            deployment.wait(LOOKS_EVERY_SECONDS)
    except KeyboardInterrupt:
        return 0
    if not shown:
        screen.say(f"nothing was written within {options.since}; --since looks further back")
    return 0


class Reading:
    """Each line once, though they arrive out of order."""

    def __init__(self, deployment: Deployment, services: list[str], since_ms: int, stream: str = "") -> None:
        self._logs = deployment.aws.client("logs")
        self._groups = {service: deployment.names.log_group(service) for service in services}
        self._from = since_ms
        self._seen: dict[str, int] = {}
        self._stream = {"logStreamNames": [stream]} if stream else {}

    def more(self) -> list[tuple[str, dict[str, Any]]]:
        """What has come since the last call, in the order of its time."""
        found = [
            (service, event)
            for service, group in self._groups.items()
            for event in self._events(group)
            if event["eventId"] not in self._seen
        ]
        self._seen |= {event["eventId"]: event["timestamp"] for _, event in found}
        newest = max(self._seen.values(), default=0)
        self._from = max(self._from, newest - LATE_MS)
        self._seen = {name: at for name, at in self._seen.items() if at >= self._from}
        return sorted(found, key=lambda each: each[1]["timestamp"])

    def _events(self, group: str) -> Iterator[dict[str, Any]]:
        pages = self._logs.get_paginator("filter_log_events").paginate(
            logGroupName=group, startTime=self._from, **self._stream
        )
        try:
            for page in pages:
                yield from page["events"]
        except ClientError as error:
            if code_of(error) != "ResourceNotFoundException":
                raise
            if not self._stream:  # a stream begins with its first line
                raise NotThere(f"there is no log group {group}", MAKE_IT) from None


def _show(screen: Screen, service: str, event: dict[str, Any]) -> None:
    at = datetime.fromtimestamp(event["timestamp"] / 1000, UTC)
    task = event.get("logStreamName", "").rpartition("/")[2][:8]
    if screen.as_json:
        screen.result({"at": at, "service": service, "task": task, "message": event["message"]})
    else:
        screen.say(f"{at:%H:%M:%S} {service}/{task}  {event['message'].rstrip()}")


def _age_ms(text: str) -> int:
    match = _AGE.fullmatch(text)
    if not match:
        raise BadInput(f"--since {text}: is no age", "as in 30s, 10m, 2h or 1d")
    return int(match[1]) * _SECONDS[match[2]] * 1000
