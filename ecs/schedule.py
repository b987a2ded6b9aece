"""schedule: starts a batch once a period, such as every night; lists and removes what does."""

import argparse
import json
import re
from datetime import UTC, datetime
from typing import Any

from botocore.exceptions import ClientError

from ecs import events
from ecs.aws import code_of
from ecs.deployment import Deployment
from ecs.errors import InvalidUsage, ResourceNotFound
from ecs.screen import Screen
from ecs.times import parse_time, skipped_on

HELP = "start a batch once a period, such as every night"
EXAMPLES = """\
  python -m ecs schedule add night --at "daily 03:30 Europe/Berlin" --input s3://data/in/
  python -m ecs schedule add month --at "cron(0 6 1 * ? *) UTC" --input s3://data/in/a.csv --model pay@3
  python -m ecs schedule list
  python -m ecs schedule remove nightly
"""
_NAME = re.compile(r"[A-Za-z0-9_-]{1,64}")
_TIME = "<aws.scheduler.scheduled-time>"
"""Scheduler puts there the time for which a start was planned: the same in each copy of its message."""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("action", choices=["add", "list", "remove"], help="what to do")
    parser.add_argument("name", nargs="?", help="name of the schedule")
    parser.add_argument(
        "--at",
        metavar="WHEN",
        help="add: DAYS TIME ZONE, as in 'daily 03:30 Europe/Berlin' or 'Mon-Fri 18:00 UTC', or cron(…) or "
        "rate(…) of EventBridge Scheduler and a zone",
    )
    parser.add_argument(
        "--input", metavar="s3://…", help="add: the file, prefix, glob or manifest, as the input of a batch"
    )
    parser.add_argument("--output", metavar="s3://…", help="add: the folder of the results")
    parser.add_argument("--model", help="add: name, name@version or name@alias (default: the default model)")
    parser.add_argument(
        "--option",
        dest="batch_options",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="add: another option of a batch, such as explain=true; can be repeated",
    )


def run(deployment: Deployment, screen: Screen, options: argparse.Namespace) -> int:
    if options.action != "list" and not _NAME.fullmatch(options.name or ""):
        raise InvalidUsage(
            f"{options.name or ''!r} is not a name of a schedule: use 1 to 64 letters, digits, - and _",
            f"for example python -m ecs schedule {options.action} nightly",
        )
    made = events.outputs(deployment.events)
    client = deployment.aws.client("scheduler")
    group = deployment.names.deployment
    if options.action == "add":
        _add(client, group, made, screen, options)
    elif options.action == "list":
        _list(client, group, screen)
    else:
        _remove(client, group, screen, options.name)
    return 0


def _add(client: Any, group: str, made: dict[str, str], screen: Screen, options: argparse.Namespace) -> None:
    """A schedule of this name is changed."""
    if not options.at or not options.input:
        raise InvalidUsage(
            "a schedule needs --at and --input", f"for example {EXAMPLES.strip().splitlines()[0]}"
        )
    time = parse_time(options.at)
    schedule = {
        "Name": options.name,
        "GroupName": group,
        "ScheduleExpression": time.expression,
        "ScheduleExpressionTimezone": time.zone,
        "FlexibleTimeWindow": {"Mode": "OFF"},
        "Target": {
            "Arn": made["QueueArn"],
            "RoleArn": made["ScheduleRoleArn"],
            "Input": json.dumps(message(options)),
            "DeadLetterConfig": {"Arn": made["DeadQueueArn"]},
        },
    }
    try:
        client.create_schedule(**schedule)
    except ClientError as error:
        if code_of(error) != "ConflictException":
            raise
        client.update_schedule(**schedule)
    screen.print(f"{options.name}: a batch at {time.expression}, {time.zone}")
    if skipped := skipped_on(options.at, datetime.now(UTC)):
        screen.print(
            f"  but not on {skipped:%d %B %Y}, when clocks skip this time; choose another to start it then"
        )
    screen.result({"name": options.name, "expression": time.expression, "zone": time.zone})


def message(options: argparse.Namespace) -> dict[str, Any]:
    """What web reads: a batch, and the key that each copy of the message has."""
    batch = {
        "input": options.input,
        **({"output": options.output} if options.output else {}),
        **({"model": options.model} if options.model else {}),
        **_batch_options(options.batch_options),
        "metadata": {"schedule": options.name, "scheduled_at": _TIME},
    }
    return {"paygrade": "batch", "key": f"schedule {options.name} {_TIME}", "batch": batch}


def _batch_options(assignments: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if not (name and equals):
            raise InvalidUsage(f"--option {assignment}: the format is NAME=VALUE", "for example explain=true")
        found[name] = {"true": True, "false": False}.get(value, value)
    return found


def _list(client: Any, group: str, screen: Screen) -> None:
    pages = client.get_paginator("list_schedules").paginate(GroupName=group)
    names = [each["Name"] for page in pages for each in page["Schedules"]]
    found = [_described(client.get_schedule(GroupName=group, Name=name)) for name in names]
    if not found:
        screen.print("no schedules")
    else:
        columns = ("name", "at", "zone", "state", "input", "output", "model")
        screen.table(columns, [tuple(str(each[column]) for column in columns) for each in found])
    screen.result(found)


def _described(schedule: dict[str, Any]) -> dict[str, str]:
    batch = json.loads(schedule["Target"]["Input"])["batch"]
    return {
        "name": schedule["Name"],
        "at": schedule["ScheduleExpression"],
        "zone": schedule.get("ScheduleExpressionTimezone", "UTC"),
        "state": schedule.get("State", "ENABLED").lower(),
        **{name: batch.get(name, "") for name in ("input", "output", "model")},
    }


def _remove(client: Any, group: str, screen: Screen, name: str) -> None:
    try:
        client.delete_schedule(GroupName=group, Name=name)
    except ClientError as error:
        if code_of(error) == "ResourceNotFoundException":
            raise ResourceNotFound(
                f"there is no schedule {name}", "python -m ecs schedule list shows all schedules"
            ) from None
        raise
    screen.print(f"{name} is removed; batches that it has started go on")
    screen.result({"removed": name})
