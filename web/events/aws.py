"""Events of AWS: a queue of SQS, a bus of EventBridge, a topic of SNS.

Import this module only where one of them is named: boto3 takes a quarter of a second.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import cached_property
from typing import Any

from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError, ReadTimeoutError

from jobs.queues.queue import EVENT_TARGETS
from jobs.settings import Settings
from web.aws import make_client
from web.events.publishing import OutgoingEvent, PublishEvent
from web.events.queue import VISIBLE_AGAIN_SECONDS, EventQueue, EventsUnavailable, FileForbidden, Message
from web.webhooks.posting import Answer

SOURCE = "paygrade"
"""The source of our events on a bus."""
WAIT_SECONDS = 20
"""As long as SQS allows."""
LONGEST_REASON = 1_000
_CONFIG = Config(connect_timeout=2, read_timeout=10, retries={"total_max_attempts": 2, "mode": "standard"})
_WAITING = _CONFIG.merge(Config(read_timeout=WAIT_SECONDS + 10))
_MISSING, _FORBIDDEN = ("404", "NoSuchKey", "NoSuchBucket"), ("403", "AccessDenied")


class SqsEventQueue(EventQueue):
    """`dead_url` may be empty: then SQS itself gives messages up, if the queue has a redrive policy."""

    def __init__(self, url: str, dead_url: str) -> None:
        self._url = url
        self._dead_url = dead_url

    @cached_property
    def _sqs(self) -> Any:
        return make_client("sqs", _WAITING)

    @cached_property
    def _s3(self) -> Any:
        return make_client("s3", _CONFIG)

    def receive(self, most: int) -> list[Message]:
        with _named_errors():
            answer = self._sqs.receive_message(
                QueueUrl=self._url,
                MaxNumberOfMessages=most,
                WaitTimeSeconds=WAIT_SECONDS,
                VisibilityTimeout=VISIBLE_AGAIN_SECONDS,
            )
        return [
            Message(each["MessageId"], each["Body"], each["ReceiptHandle"])
            for each in answer.get("Messages", ())
        ]

    def keep(self, message: Message) -> None:
        self._set_visibility(message, VISIBLE_AGAIN_SECONDS)

    def release(self, message: Message) -> None:
        self._set_visibility(message, 0)

    def _set_visibility(self, message: Message, seconds: int) -> None:
        with _named_errors():
            self._sqs.change_message_visibility(
                QueueUrl=self._url, ReceiptHandle=message.receipt, VisibilityTimeout=seconds
            )

    def delete(self, message: Message) -> None:
        with _named_errors():
            self._sqs.delete_message(QueueUrl=self._url, ReceiptHandle=message.receipt)

    def give_up(self, message: Message, reason: str) -> None:
        if not self._dead_url:
            return
        text = "".join(sign if sign.isprintable() else "?" for sign in reason[:LONGEST_REASON])
        with _named_errors():
            self._sqs.send_message(
                QueueUrl=self._dead_url,
                MessageBody=message.body,
                MessageAttributes={"reason": {"DataType": "String", "StringValue": text}},
            )
        self.delete(message)

    def etag(self, bucket: str, key: str) -> str | None:
        with _named_errors():
            try:
                return str(self._s3.head_object(Bucket=bucket, Key=key)["ETag"]).strip('"')
            except ClientError as error:
                code = error.response["Error"]["Code"]
                if code in _MISSING:
                    return None
                if code in _FORBIDDEN:
                    raise FileForbidden(f"access to bucket {bucket} is denied") from None
                raise


def publishers(settings: Settings) -> dict[str, PublishEvent]:
    """The publisher of each target; empty where no target is named."""
    bus, topic = EVENT_TARGETS
    found: dict[str, PublishEvent] = {}
    if settings.event_bus:
        found[bus] = BusPublisher(settings.event_bus)
    if settings.event_topic:
        found[topic] = TopicPublisher(settings.event_topic)
    return found


class BusPublisher:
    """`bus` is the name or the ARN of a bus of EventBridge."""

    def __init__(self, bus: str) -> None:
        self._bus = bus

    @cached_property
    def _events(self) -> Any:
        return make_client("events", _CONFIG)

    def __call__(self, event: OutgoingEvent) -> Answer:
        entry = {
            "Source": SOURCE,
            "DetailType": event.type,
            "Detail": event.detail,
            "EventBusName": self._bus,
        }
        try:
            answer = self._events.put_events(Entries=[entry])
        except (BotoCoreError, ClientError) as error:
            return _refusal(error)
        [outcome] = answer["Entries"]
        return Answer(error=outcome["ErrorCode"]) if "ErrorCode" in outcome else Answer(status=200)


class TopicPublisher:
    """`topic` is the ARN of a topic of SNS, which is not FIFO."""

    def __init__(self, topic: str) -> None:
        self._topic = topic

    @cached_property
    def _sns(self) -> Any:
        return make_client("sns", _CONFIG)

    def __call__(self, event: OutgoingEvent) -> Answer:
        attributes = {"type": event.type, "owner": event.owner}
        try:
            self._sns.publish(
                TopicArn=self._topic,
                Message=event.detail,
                MessageAttributes={
                    name: {"DataType": "String", "StringValue": value} for name, value in attributes.items()
                },
            )
        except (BotoCoreError, ClientError) as error:
            return _refusal(error)
        return Answer(status=200)


def _refusal(error: BotoCoreError | ClientError) -> Answer:
    if isinstance(error, ClientError):
        return Answer(error=str(error.response["Error"]["Code"]))
    return Answer(error="timeout" if isinstance(error, ReadTimeoutError) else "no_answer")


@contextmanager
def _named_errors() -> Iterator[None]:
    try:
        yield
    except ClientError as error:
        raise EventsUnavailable(str(error.response["Error"]["Code"])) from error
    except BotoCoreError as error:
        raise EventsUnavailable(type(error).__name__) from error
