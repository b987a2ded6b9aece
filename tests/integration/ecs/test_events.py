"""Events, all real but AWS: a file in the bucket is scored by worker processes, and its end is told."""

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.integration.ecs.cloud import CREDENTIALS, REGION, Cloud
from tests.integration.service import wait_until
from tests.integration.stack import Stack
from tests.unit.web.events.created import created

CSV = b"name,years\nada,2.5\nbob,many\ncid,12.5\n"
RESULT = b"""\
name,prediction,warnings,error
ada,260.00012,,
bob,,,years must be a number
cid,749.99884,years is above what training saw (1 to 12),
"""
NAME = "files"
ELSEWHERE = "salaries"
"""A bucket whose events the tests send themselves."""


class Played:
    """A deployment's queues, bus and topic, as its template makes them, and two queues that hear of ends."""

    def __init__(self, cloud: Cloud) -> None:
        made = cloud.ecs("up", "--stack", NAME, "--tag", "v1", "--events", "--yes")
        assert "not in the registry" in made.err, made.err  # base and events are there by now
        self.sqs, self.s3 = cloud.client("sqs"), cloud.client("s3")
        self.cloud = cloud
        stacks = cloud.client("cloudformation").describe_stacks(StackName=f"{NAME}-events")["Stacks"]
        self.outputs = {each["OutputKey"]: each["OutputValue"] for each in stacks[0]["Outputs"]}
        self.bucket = f"{NAME}-files-000000000000-{REGION}"
        self.s3.create_bucket(Bucket=ELSEWHERE, CreateBucketConfiguration={"LocationConstraint": REGION})
        self.of_topic, self.of_bus = self._subscribed_to_topic(), self._target_of_bus()

    def _queue(self, name: str) -> tuple[str, str]:
        url = self.sqs.create_queue(QueueName=name)["QueueUrl"]
        found = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return url, found["Attributes"]["QueueArn"]

    def _subscribed_to_topic(self) -> str:
        url, arn = self._queue("of-topic")
        sns = self.cloud.client("sns")
        sns.subscribe(TopicArn=self.outputs["EventTopic"], Protocol="sqs", Endpoint=arn)
        return url

    def _target_of_bus(self) -> str:
        url, arn = self._queue("of-bus")
        bus, client = self.outputs["EventBus"], self.cloud.client("events")
        pattern = json.dumps({"source": ["paygrade"], "detail-type": [{"prefix": "batch."}]})
        client.put_rule(Name="ends", EventBusName=bus, EventPattern=pattern)
        client.put_targets(Rule="ends", EventBusName=bus, Targets=[{"Id": "queue", "Arn": arn}])
        return url

    def settings(self) -> dict[str, str]:
        return {
            **CREDENTIALS,
            "AWS_ENDPOINT_URL": self.cloud.endpoint,
            "AWS_DEFAULT_REGION": REGION,
            "PAYGRADE_QUEUES": "predictions,batches",
            "PAYGRADE_BATCH_CHILDREN": "1",
            "PAYGRADE_FILES": f"s3://{self.bucket}",
            "PAYGRADE_S3_ALLOW": f"s3://{self.bucket}/input,s3://{self.bucket}/output,s3://{ELSEWHERE}",
            "PAYGRADE_EVENT_QUEUE": self.outputs["EventQueue"],
            "PAYGRADE_EVENT_DEAD_QUEUE": self.outputs["EventDeadQueue"],
            "PAYGRADE_EVENT_BUS": self.outputs["EventBus"],
            "PAYGRADE_EVENT_TOPIC": self.outputs["EventTopic"],
        }

    def put_elsewhere(self, key: str, content: bytes = CSV) -> str:
        """The event of a new object."""
        etag = self.s3.put_object(Bucket=ELSEWHERE, Key=key, Body=content)["ETag"].strip('"')
        return created(key, etag)

    def send(self, body: str) -> None:
        self.sqs.send_message(QueueUrl=self.outputs["EventQueue"], MessageBody=body)

    def received(self, url: str) -> list[Any]:
        """All that is in this queue, which is empty then."""
        found: list[Any] = []
        while messages := self.sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
        ).get("Messages"):
            found += messages
            for each in messages:
                self.sqs.delete_message(QueueUrl=url, ReceiptHandle=each["ReceiptHandle"])
        return found

    def results(self, bucket: str) -> dict[str, bytes]:
        found = self.s3.list_objects_v2(Bucket=bucket, Prefix="output/").get("Contents", [])
        keys = [each["Key"] for each in found if each["Key"].endswith("/result.csv")]
        return {key: self.s3.get_object(Bucket=bucket, Key=key)["Body"].read() for key in keys}


@pytest.fixture(scope="module")
def played(cloud: Cloud) -> Played:
    return Played(cloud)


@pytest.fixture(scope="module")
def stack(played: Played, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    """With web and a worker."""
    with Stack(tmp_path_factory.mktemp("events"), played.settings()) as stack:
        stack.ready(stack.start_worker(), children=2)
        stack.start_web()
        yield stack


def batches(stack: Stack, key: str) -> list[Any]:
    """Those of this file."""
    found = requests.get(f"{stack.address}/v1/batches", timeout=30).json()["data"]
    return [batch for batch in found if batch["metadata"].get("input", "").endswith(f"/{key}")]


def ended(stack: Stack, key: str) -> bool:
    found = batches(stack, key)
    return bool(found) and all(batch["finished_at"] for batch in found)


def test_a_file_in_the_bucket_is_scored_and_its_end_is_told_once(played: Played, stack: Stack) -> None:
    key = "input/salary/people 1.csv"
    played.s3.put_object(Bucket=played.bucket, Key=key, Body=CSV)
    wait_until("the results are there", lambda: played.results(played.bucket))
    [(name, result)] = played.results(played.bucket).items()
    [batch] = batches(stack, key)
    assert name == f"output/salary/people 1.csv/{batch['id']}/result.csv"
    assert result == RESULT
    told: dict[str, list[Any]] = {played.of_topic: [], played.of_bus: []}

    def all_told() -> bool:
        for url, messages in told.items():
            messages += played.received(url)
        return all(told.values())

    wait_until("bus and topic are told", all_told)
    wait_until("nothing is to be sent", lambda: stack.redis.zcard("webhooks:pending") == 0)
    all_told()
    of_topic, of_bus = ([json.loads(each["Body"]) for each in messages] for messages in told.values())
    details = [json.loads(each["Message"]) for each in of_topic] + [each["detail"] for each in of_bus]
    assert [detail["type"] for detail in details] == ["batch.partially_succeeded"] * 2
    assert {detail["data"]["id"] for detail in details} == {batch["id"]}
    assert details[0]["data"]["metadata"]["output"] == f"s3://{played.bucket}/output/salary/people 1.csv"
    assert (of_bus[0]["source"], of_bus[0]["detail-type"]) == ("paygrade", "batch.partially_succeeded")
    assert len(stack.web.events("event_accepted")) == 1  # results have started nothing


def test_a_message_that_comes_twice_is_one_batch(played: Played, stack: Stack) -> None:
    key = "input/twice.csv"
    event = played.put_elsewhere(key)
    for _ in range(3):
        played.send(event)
    wait_until("the copies are known", lambda: len(stack.web.events("event_repeated")) >= 2)
    wait_until("it is scored", lambda: ended(stack, key))
    assert len(batches(stack, key)) == 1


def test_a_schedule_starts_one_batch_of_all_files_a_period(played: Played, stack: Stack) -> None:
    """Scheduler is played by the test, which puts in the time as Scheduler does."""
    for name in ("a", "b"):
        played.s3.put_object(Bucket=ELSEWHERE, Key=f"in/{name}.csv", Body=CSV)
    places = ["--input", f"s3://{ELSEWHERE}/in/", "--output", f"s3://{ELSEWHERE}/output"]
    arguments = ["add", "nightly", "--stack", NAME, "--at", "daily 03:30 Europe/Berlin", *places]
    added = played.cloud.ecs("schedule", *arguments)
    assert added.status == 0, added.err
    schedule = played.cloud.client("scheduler").get_schedule(GroupName=NAME, Name="nightly")
    assert schedule["Target"]["Arn"] == played.outputs["QueueArn"]

    def found() -> list[Any]:
        answer = requests.get(f"{stack.address}/v1/batches", timeout=30).json()
        return [batch for batch in answer["data"] if batch["metadata"].get("schedule") == "nightly"]

    for time in ("2026-11-28T02:30:00Z", "2026-11-28T02:30:00Z", "2026-11-29T02:30:00Z"):
        played.send(schedule["Target"]["Input"].replace("<aws.scheduler.scheduled-time>", time))
    wait_until("both have ended", lambda: [each["finished_at"] is None for each in found()] == [False] * 2)
    assert {batch["metadata"]["scheduled_at"] for batch in found()} == {
        "2026-11-28T02:30:00Z", "2026-11-29T02:30:00Z",
    }  # fmt: skip
    for batch in found():
        assert batch["files"] == {"total": 2, "failed": 0}
        key = f"output/{batch['id']}/b.csv.result.csv"
        assert played.s3.get_object(Bucket=ELSEWHERE, Key=key)["Body"].read() == RESULT


def test_what_can_never_become_a_batch_is_in_the_other_queue(played: Played, stack: Stack) -> None:
    played.send("no event at all")
    played.send(played.put_elsewhere("input/nobody/people.csv"))
    played.send(played.put_elsewhere("output/people.csv/batch_1/result.csv"))
    wait_until("they are given up", lambda: len(stack.web.events("event_given_up")) == 3)
    dead = played.received(played.outputs["EventDeadQueue"])
    reasons = sorted(each["MessageAttributes"]["reason"]["StringValue"] for each in dead)
    assert reasons[0].startswith("404: there is no model nobody")
    assert reasons[1:] == [
        "it is neither an event of S3 about a new object nor a message of ours",
        "the object is not below input/",
    ]


def test_what_came_while_the_store_was_away_is_scored(played: Played, stack: Stack) -> None:
    key = "input/away.csv"
    with stack.frozen_store():
        played.send(played.put_elsewhere(key))
        wait_until("the store is missed", lambda: stack.web.events("store_unavailable"))
    wait_until("it is scored", lambda: ended(stack, key))
    assert len(batches(stack, key)) == 1


def test_web_killed_before_it_deleted_the_message_has_made_one_batch(played: Played, tmp_path: Path) -> None:
    """With a queue of its own: the message could go to the last question of a process that is gone."""
    key = "input/killed.csv"
    url = played.sqs.create_queue(QueueName="killed")["QueueUrl"]
    settings = played.settings() | {"PAYGRADE_EVENT_QUEUE": url, "PAYGRADE_QUEUES": "batches"}
    with Stack(tmp_path / "data", settings) as stack:
        stack.ready(stack.start_worker())
        played.sqs.send_message(QueueUrl=url, MessageBody=played.put_elsewhere(key))
        stack.start_web("tests.integration.ecs.troubled_web")
        wait_until("the batch is accepted", lambda: stack.web.events("event_accepted"))
        stack.web.kill_group()
        stack.start_web()
        wait_until("the message comes again", lambda: stack.web.events("event_repeated"))
        wait_until("it is scored", lambda: ended(stack, key))
        assert len(batches(stack, key)) == 1
