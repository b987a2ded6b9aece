"""The stack of events: what follows from it, and what starts batches by the clock."""

import json
from argparse import ArgumentParser, Namespace
from datetime import UTC, datetime
from typing import Any

import pytest

from ecs import events, schedule
from ecs.errors import InvalidUsage
from ecs.times import ScheduleTime, parse_time, skipped_on
from tests.unit.ecs.conftest import StubClient
from web.events.messages import WantedBatch, read_message

OWN = "s3://pay-files-1-r/input,s3://pay-files-1-r/output"
BUCKET = "pay-files-1-r"
RULES: dict[str, Any] = {"TopicConfigurations": [{"TopicArn": "arn", "Events": ["s3:ObjectRemoved:*"]}]}


@pytest.mark.parametrize(
    ("before", "on", "after"),
    [
        ("", True, OWN),
        ("", False, ""),
        (OWN, True, OWN),
        (OWN, False, ""),
        ("s3://data/in", True, f"s3://data/in,{OWN}"),
        (f"{OWN},s3://data/in", False, "s3://data/in"),
    ],
)
def test_the_folders_of_the_bucket_are_allowed_with_events(before: str, on: bool, after: str) -> None:
    assert events.allowed(before, BUCKET, on) == after


@pytest.mark.parametrize(
    ("before", "on", "after"),
    [
        ({}, True, {"EventBridgeConfiguration": {}}),
        (RULES, True, {**RULES, "EventBridgeConfiguration": {}}),
        ({**RULES, "EventBridgeConfiguration": {}}, False, RULES),
        ({"EventBridgeConfiguration": {}}, True, None),
        (RULES, False, None),
    ],
)
def test_other_notifications_of_the_bucket_stay(stub: StubClient, before: Any, on: bool, after: Any) -> None:
    client, s3 = stub("s3")
    s3.add_response("get_bucket_notification_configuration", before, {"Bucket": BUCKET})
    if after is not None:
        s3.add_response(
            "put_bucket_notification_configuration",
            {},
            {"Bucket": BUCKET, "NotificationConfiguration": after},
        )
    events.notify(client, BUCKET, on)


def test_a_bucket_that_is_gone_tells_nobody(stub: StubClient) -> None:
    client, s3 = stub("s3")
    s3.add_client_error("get_bucket_notification_configuration", "NoSuchBucket")
    events.stop_notifying(client, BUCKET)


@pytest.mark.parametrize(
    ("text", "expression", "zone"),
    [
        ("daily 02:30 Europe/Berlin", "cron(30 2 * * ? *)", "Europe/Berlin"),
        ("Mon-Fri 18:00 UTC", "cron(0 18 ? * MON-FRI *)", "UTC"),
        ("sun 7:05 America/New_York", "cron(5 7 ? * SUN *)", "America/New_York"),
        ("cron(0 6 1 * ? *) Asia/Tokyo", "cron(0 6 1 * ? *)", "Asia/Tokyo"),
        ("rate(6 hours)", "rate(6 hours)", "UTC"),
    ],
)
def test_a_time_is_said_in_words_or_as_scheduler_has_it(text: str, expression: str, zone: str) -> None:
    assert parse_time(text) == ScheduleTime(expression, zone)


@pytest.mark.parametrize(
    "text",
    ["", "02:30", "daily 02:30", "daily 24:00 UTC", "daily 2 UTC", "daily 02:30 Mars/Base", "cron(0 6"],
)
def test_a_time_that_is_none_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(InvalidUsage) as refused:
        parse_time(text)
    assert "for example" in refused.value.next_step


def test_a_time_that_clocks_skip_is_known() -> None:
    """Scheduler starts nothing then."""
    now = datetime(2026, 11, 28, tzinfo=UTC)
    skipped = skipped_on("daily 02:30 Europe/Berlin", now)
    assert skipped
    assert (skipped.year, skipped.month, skipped.day) == (2027, 3, 28)
    assert skipped_on("daily 03:30 Europe/Berlin", now) is None
    assert skipped_on("daily 02:30 UTC", now) is None
    assert skipped_on("rate(1 hour)", now) is None


def options(*arguments: str) -> Namespace:
    parser = ArgumentParser()
    schedule.arguments(parser)
    return parser.parse_args(arguments)


NIGHTLY = options(
    *("add", "nightly", "--at", "daily 03:30 UTC", "--input", "s3://data/in/", "--output", "s3://data/out"),
    *("--model", "salary@3", "--option", "explain=true", "--option", "delimiter=semicolon"),
)


def sent_at(time: str) -> str:
    """What Scheduler makes of the message."""
    return json.dumps(schedule.message(NIGHTLY)).replace("<aws.scheduler.scheduled-time>", time)


def test_the_message_of_a_schedule_is_one_that_web_reads() -> None:
    text = json.dumps(schedule.message(NIGHTLY)).replace(
        "<aws.scheduler.scheduled-time>", "2026-11-28T03:30:00Z"
    )
    wanted = read_message(text)
    assert isinstance(wanted, WantedBatch)
    assert wanted.body == {
        "input": "s3://data/in/",
        "output": "s3://data/out",
        "model": "salary@3",
        "explain": True,
        "delimiter": "semicolon",
        "metadata": {"schedule": "nightly", "scheduled_at": "2026-11-28T03:30:00Z"},
    }


def test_a_period_is_one_batch_and_the_next_another() -> None:
    def mark(time: str) -> str:
        wanted = read_message(sent_at(time))
        assert wanted
        return wanted.mark

    assert mark("2026-11-28T03:30:00Z") == mark("2026-11-28T03:30:00Z") != mark("2026-11-29T03:30:00Z")


def test_an_option_of_a_batch_has_a_value() -> None:
    with pytest.raises(InvalidUsage, match="NAME=VALUE"):
        schedule.message(options("add", "nightly", "--input", "s3://a/b", "--option", "explain"))
