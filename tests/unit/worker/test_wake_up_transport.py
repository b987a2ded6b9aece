"""What is no wake-up of ours never reaches Celery, nor does what somebody added to a wake-up."""

import json
from typing import Any

import pytest
from celery import Celery
from kombu.connection import Connection
from kombu.transport.redis import Channel

from jobs.queues.names import BATCHES, PREDICTIONS, Queue
from jobs.queues.queue import send_wake_up
from worker.wake_up_transport import WakeUpChannel, WakeUpTransport, name_of, wake_up

NAME = "5a" * 16
GOOD: dict[str, Any] = wake_up(NAME, "predictions")


def changed(**changes: Any) -> dict[str, Any]:
    """The wake-up with other headers."""
    return {**GOOD, "headers": {**GOOD["headers"], **changes}}


BROKEN: list[Any] = [
    None, 1, "text", [], {}, [GOOD], {"headers": None}, {"headers": []}, {"headers": "task"}, {"headers": {}},
    {**GOOD, "headers": None}, {name: value for name, value in GOOD.items() if name != "headers"},
    changed(task=None), changed(task=[]), changed(task={}), changed(task=1), changed(task=""),
    changed(task="celery.backend_cleanup"), changed(task="celery.chord_unlock"), changed(task=BATCHES.task),
    changed(id=None), changed(id={}), changed(id=[]), changed(id=1), changed(id=""), changed(id="x" * 32),
    changed(id=NAME + "\n"), changed(id=NAME + "-"), changed(id=NAME * 1000), changed(id="A" * 32),
]  # fmt: skip


@pytest.mark.parametrize("message", BROKEN)
def test_what_is_no_wake_up_is_dropped(message: Any) -> None:
    assert name_of(message, "predictions") is None
    assert name_of(message, "unknown") is None


ADDED: list[dict[str, Any]] = [
    {"content-type": "application/data"},
    {"content-type": None},
    {"content-encoding": {}},
    {"body": "{"},
    {"body": None},
    {"body": 1},
    {"body": [1]},
    {"properties": None},
    {"properties": {}},
    {"properties": {"delivery_tag": {}, "delivery_info": None}},
    {"headers": {**GOOD["headers"], "timelimit": "now"}},
    {"headers": {**GOOD["headers"], "timelimit": [0.001, 0.001]}},
    {
        "headers": {
            **GOOD["headers"],
            "eta": "tomorrow",
            "expires": [],
            "retries": "x",
            "group": {},
            "stamps": 1,
        }
    },
]


@pytest.mark.parametrize("added", ADDED)
def test_of_a_wake_up_only_its_name_is_used(added: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    passed_on = delivered({**GOOD, **added}, monkeypatch)
    tag = passed_on["properties"].pop("delivery_tag")
    assert isinstance(tag, str)
    expected = wake_up(NAME, "predictions")
    del expected["properties"]["delivery_tag"]
    assert passed_on == expected


def delivered(message: Any, monkeypatch: pytest.MonkeyPatch) -> Any:
    """What the transport passes on."""
    passed_on: list[Any] = []
    transport = WakeUpTransport.__new__(WakeUpTransport)
    transport._callbacks = {"predictions": passed_on.append}
    transport._deliver(message, "predictions")
    return passed_on[0] if passed_on else None


def test_a_dropped_message_is_not_passed_on(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    assert delivered([], monkeypatch) is None
    assert [record.message for record in caplog.records] == ["message_dropped"]


@pytest.mark.parametrize(
    "error", [ValueError(), UnicodeDecodeError("utf-8", b"", 0, 1, ""), RecursionError()]
)
def test_a_message_that_is_no_json_is_dropped(monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def fail(*_: Any) -> None:
        raise error

    monkeypatch.setattr(Channel, "_brpop_read", fail)
    assert WakeUpChannel._brpop_read(WakeUpChannel.__new__(WakeUpChannel)) is True


@pytest.mark.parametrize("queue", [PREDICTIONS, BATCHES], ids=lambda queue: queue.name)
@pytest.mark.parametrize("name", [NAME, f"{NAME}-12"])
def test_what_we_send_is_a_wake_up(queue: Queue, name: str) -> None:
    celery = Celery(broker="memory://localhost", set_as_current=False)
    celery.conf.update(task_default_queue=queue.name)
    connect: Any = Connection
    with connect("memory://localhost") as connection:
        connection.default_channel._purge(queue.name)  # the memory is that of all tests
        send_wake_up(celery, queue, name)
        raw = connection.default_channel._get(queue.name)
    assert name_of(json.loads(json.dumps(raw)), queue.name) == name
