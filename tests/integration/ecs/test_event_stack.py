"""`up --events` makes a stack of its own, and `--no-events` removes it; schedules live in it."""

from typing import Any

import pytest

from tests.integration.ecs.cloud import REGION, Cloud
from tests.integration.ecs.conftest import up


def stacks(cloud: Cloud, name: str) -> set[str]:
    found = cloud.client("cloudformation").describe_stacks()["Stacks"]
    return {
        each["StackName"].removeprefix(f"{name}-")
        for each in found
        if each["StackName"].startswith(f"{name}-") and each["StackStatus"] != "DELETE_COMPLETE"
    }


def environment(cloud: Cloud, name: str) -> dict[str, str]:
    """Of web's task."""
    ecs = cloud.client("ecs")
    [service] = ecs.describe_services(cluster=name, services=["web"])["services"]
    task = ecs.describe_task_definition(taskDefinition=service["taskDefinition"])["taskDefinition"]
    return {each["name"]: each["value"] for each in task["containerDefinitions"][0]["environment"]}


def notified(cloud: Cloud, name: str) -> bool:
    found: dict[str, Any] = cloud.client("s3").get_bucket_notification_configuration(
        Bucket=f"{name}-files-000000000000-{REGION}"
    )
    return "EventBridgeConfiguration" in found


@pytest.fixture
def evented(cloud: Cloud, stack: str) -> str:
    up(cloud, stack, "--events", "--set", "PAYGRADE_S3_ALLOW=s3://data/in")
    return stack


def test_web_knows_its_events_and_the_bucket_tells_them(cloud: Cloud, evented: str) -> None:
    assert stacks(cloud, evented) == {"base", "events", "app"}
    assert notified(cloud, evented)
    variables = environment(cloud, evented)
    assert variables["PAYGRADE_EVENT_QUEUE"].endswith(f"/{evented}-events")
    assert variables["PAYGRADE_EVENT_DEAD_QUEUE"].endswith(f"/{evented}-events-dead")
    assert variables["PAYGRADE_EVENT_BUS"] == evented
    assert variables["PAYGRADE_EVENT_TOPIC"].endswith(f":{evented}-ended")
    bucket = f"s3://{evented}-files-000000000000-{REGION}"
    assert variables["PAYGRADE_S3_ALLOW"] == f"s3://data/in,{bucket}/input,{bucket}/output"
    again = cloud.ecs("up", "--stack", evented, "--yes")
    assert (again.status, again.out.count("nothing to change")) == (0, 3), again.out


def test_the_messages_that_wait_and_those_that_were_given_up_are_shown(cloud: Cloud, evented: str) -> None:
    url = environment(cloud, evented)["PAYGRADE_EVENT_DEAD_QUEUE"]
    cloud.client("sqs").send_message(QueueUrl=url, MessageBody="{}")
    shown = cloud.ecs("ps", "--stack", evented)
    assert f"0 messages wait; 1 can never become a batch, and are in {evented}-events-dead" in shown.out
    assert cloud.ecs("ps", "--stack", evented, "--json").json["events"] == {"waiting": 0, "dead": 1}


def test_schedules_are_added_changed_listed_and_removed(cloud: Cloud, evented: str) -> None:
    def schedule(*arguments: str, **more: Any) -> Any:
        return cloud.ecs("schedule", "--stack", evented, *arguments, **more)

    assert "no schedules" in schedule("list").out
    places = ["--input", "s3://data/in/people.csv", "--output", "s3://data/in/scored"]
    added = schedule("add", "nightly", "--at", "daily 02:30 Europe/Berlin", *places)
    assert added.status == 0, added.err
    assert "nightly: a batch at cron(30 2 * * ? *), Europe/Berlin" in added.out
    assert "when clocks skip this time" in added.out
    assert schedule("add", "nightly", "--at", "Mon-Fri 03:30 UTC", *places, "--model", "salary").status == 0
    [listed] = schedule("list", "--json").json
    assert (listed["at"], listed["zone"], listed["state"]) == ("cron(30 3 ? * MON-FRI *)", "UTC", "enabled")
    assert (listed["input"], listed["model"]) == ("s3://data/in/people.csv", "salary")
    assert schedule("remove", "nightly").status == 0
    missing = schedule("remove", "nightly")
    assert (missing.status, "there is no schedule nightly" in missing.err) == (2, True)
    wrong = schedule("add", "x", "--at", "sometimes", *places)
    assert (wrong.status, "for example" in wrong.err) == (2, True)


def test_without_events_there_are_no_schedules(cloud: Cloud, running: str) -> None:
    refused = cloud.ecs("schedule", "--stack", running, "list")
    assert (refused.status, "up --events" in refused.err) == (2, True)


def test_events_are_turned_off_after_web_has_let_go_of_them(cloud: Cloud, evented: str) -> None:
    planned = cloud.ecs("plan", "--stack", evented, "--no-events")
    assert f"{evented}-events: will be deleted" in planned.out
    off = cloud.ecs("up", "--stack", evented, "--no-events", "--yes")
    assert off.status == 0, off.err
    assert stacks(cloud, evented) == {"base", "app"}
    assert not notified(cloud, evented)
    variables = environment(cloud, evented)
    assert (variables["PAYGRADE_EVENT_QUEUE"], variables["PAYGRADE_S3_ALLOW"]) == ("", "s3://data/in")


def test_down_removes_the_events_too(cloud: Cloud, evented: str) -> None:
    cloud.ecs(
        "schedule", "add", "nightly", "--stack", evented, "--at", "rate(1 day)", "--input", "s3://a/b.csv"
    )
    removed = cloud.ecs("down", "--stack", evented, "--yes")
    assert (removed.status, stacks(cloud, evented)) == (0, set()), removed.err
    assert "including the messages that wait, and the schedules" in removed.out
    urls = cloud.client("sqs").list_queues(QueueNamePrefix=f"{evented}-").get("QueueUrls", [])
    assert urls == []
