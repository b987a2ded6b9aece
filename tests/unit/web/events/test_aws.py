"""SQS, EventBridge and SNS as moto plays them."""

import json
from typing import Any

import boto3
import pytest
from botocore.exceptions import EndpointConnectionError
from botocore.stub import Stubber

from jobs.settings import Settings
from web.events.aws import BusPublisher, SqsEventQueue, TopicPublisher, publishers
from web.events.publishing import OutgoingEvent
from web.events.queue import EventsUnavailable, FileForbidden
from web.webhooks.posting import Answer

EVENT = OutgoingEvent("batch.succeeded", "ada", '{"id":"msg_1"}')


class Played:
    """Two queues; what is sent to the bus and the topic arrives in the second."""

    def __init__(self) -> None:
        self.sqs: Any = boto3.client("sqs")
        self.url, self.dead_url = (
            self.sqs.create_queue(QueueName=name)["QueueUrl"] for name in ("events", "dead")
        )
        self.queue = SqsEventQueue(self.url, self.dead_url)

    def arn(self, url: str) -> str:
        attributes = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
        return str(attributes["Attributes"]["QueueArn"])

    def send(self, body: str) -> None:
        self.sqs.send_message(QueueUrl=self.url, MessageBody=body)

    def received(self, url: str) -> list[Any]:
        found: list[Any] = self.sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], VisibilityTimeout=0
        ).get("Messages", [])
        return found

    def waiting(self) -> tuple[int, int]:
        """Messages that can be received, and those that somebody has."""
        names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
        found = self.sqs.get_queue_attributes(QueueUrl=self.url, AttributeNames=names)["Attributes"]
        return int(found[names[0]]), int(found[names[1]])


@pytest.fixture
def played(aws: Any) -> Played:
    return Played()


def test_a_message_that_was_received_is_hidden_until_it_is_released_or_deleted(played: Played) -> None:
    played.send("one")
    [message] = played.queue.receive(10)
    assert (message.body, played.waiting()) == ("one", (0, 1))
    played.queue.keep(message)
    played.queue.release(message)
    assert played.waiting() == (1, 0)
    [again] = played.queue.receive(10)
    played.queue.delete(again)
    assert played.waiting() == (0, 0)


def test_a_message_that_is_given_up_goes_to_the_other_queue_with_the_reason(played: Played) -> None:
    played.send("poison")
    [message] = played.queue.receive(10)
    played.queue.give_up(message, "no\x00model 北")
    assert played.waiting() == (0, 0)
    [dead] = played.received(played.dead_url)
    assert (dead["Body"], dead["MessageAttributes"]["reason"]["StringValue"]) == ("poison", "no?model 北")


def test_without_the_other_queue_it_stays(played: Played) -> None:
    played.send("poison")
    queue = SqsEventQueue(played.url, "")
    [message] = queue.receive(10)
    queue.give_up(message, "no model")
    assert played.waiting() == (0, 1)


def test_the_etag_of_an_object_is_that_of_its_event(played: Played, aws: Any) -> None:
    put = aws.put_object(Bucket="salaries", Key="input/a b.csv", Body=b"years\n")["ETag"]
    assert played.queue.etag("salaries", "input/a b.csv") == put.strip('"')
    assert played.queue.etag("salaries", "input/none.csv") is None
    assert played.queue.etag("nowhere", "input/a b.csv") is None


def test_rights_that_are_missing_are_told_from_a_service_that_is_away(played: Played) -> None:
    with Stubber(played.queue._s3) as stub:
        stub.add_client_error("head_object", "403", http_status_code=403)
        stub.add_client_error("head_object", "503", http_status_code=503)
        with pytest.raises(FileForbidden):
            played.queue.etag("salaries", "input/a.csv")
        with pytest.raises(EventsUnavailable):
            played.queue.etag("salaries", "input/a.csv")


def test_a_queue_that_is_away_is_said_so(aws: Any) -> None:
    with pytest.raises(EventsUnavailable, match="NonExistentQueue"):
        SqsEventQueue("https://sqs.us-east-1.amazonaws.com/123456789012/none", "").receive(10)


def test_an_event_goes_to_the_bus(aws: Any) -> None:
    bus = BusPublisher("paygrade")
    sent = {
        "Source": "paygrade",
        "DetailType": "batch.succeeded",
        "Detail": EVENT.detail,
        "EventBusName": "paygrade",
    }
    with Stubber(bus._events) as stub:
        stub.add_response(
            "put_events", {"FailedEntryCount": 0, "Entries": [{"EventId": "1"}]}, {"Entries": [sent]}
        )
        assert bus(EVENT) == Answer(status=200)


def test_an_event_arrives_on_the_topic(played: Played) -> None:
    sns: Any = boto3.client("sns")
    topic = sns.create_topic(Name="ends")["TopicArn"]
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=played.arn(played.url))
    assert TopicPublisher(topic)(EVENT) == Answer(status=200)
    [message] = played.received(played.url)
    body = json.loads(message["Body"])
    assert json.loads(body["Message"]) == {"id": "msg_1"}
    assert body["MessageAttributes"]["type"] == {"Type": "String", "Value": "batch.succeeded"}
    assert body["MessageAttributes"]["owner"]["Value"] == "ada"


def test_what_aws_refuses_is_in_the_answer(played: Played) -> None:
    bus = BusPublisher("paygrade")
    with Stubber(bus._events) as stub:
        failed = {"ErrorCode": "ThrottlingException", "ErrorMessage": "slow down"}
        stub.add_response("put_events", {"FailedEntryCount": 1, "Entries": [failed]})
        assert bus(EVENT) == Answer(error="ThrottlingException")
    missing = TopicPublisher("arn:aws:sns:us-east-1:123456789012:none")
    assert missing(EVENT).error in ("NotFound", "NotFoundException")


def test_a_target_that_does_not_answer_is_tried_again(monkeypatch: pytest.MonkeyPatch, aws: Any) -> None:
    topic = TopicPublisher("arn:aws:sns:us-east-1:123456789012:ends")

    def away(*_: object, **__: object) -> None:
        raise EndpointConnectionError(endpoint_url="https://sns")

    monkeypatch.setattr(topic._sns, "publish", away)
    assert topic(EVENT) == Answer(error="no_answer")


def test_only_what_is_named_is_told() -> None:
    assert publishers(Settings()) == {}
    assert set(publishers(Settings(event_bus="paygrade"))) == {"bus"}
    assert set(publishers(Settings(event_bus="a", event_topic="b"))) == {"bus", "topic"}
