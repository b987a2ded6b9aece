"""Celery carries wake-ups and nothing else: no message can run code or control a worker."""

from typing import Any

import pytest
from celery import Celery
from kombu import serialization
from kombu.exceptions import ContentDisallowed
from pydantic import SecretStr

from jobs.queues.celery_app import make_celery
from jobs.queues.names import PREDICTIONS
from jobs.queues.queue import send_wake_up
from jobs.settings import Settings


@pytest.fixture
def celery() -> Celery:
    return make_celery(Settings(redis_url=SecretStr("redis://:hunter2@elsewhere:6379/3")))


def test_only_json_is_accepted(celery: Celery) -> None:
    assert celery.conf.accept_content == ["json"]
    assert celery.conf.task_serializer == celery.conf.event_serializer == "json"
    assert received("json", celery.conf.accept_content) == ["a wake-up"]
    with pytest.raises(ContentDisallowed):
        received("pickle", celery.conf.accept_content)


def received(serializer: str, accepted: list[str]) -> Any:
    """What a worker decodes from a message in this form."""
    kombu: Any = serialization
    content_type, encoding, body = kombu.dumps(["a wake-up"], serializer)
    return kombu.loads(body, content_type, encoding, accept=kombu.prepare_accept_content(accepted))


def test_remote_control_is_off(celery: Celery) -> None:
    assert celery.conf.worker_enable_remote_control is False


def test_no_events_are_sent(celery: Celery) -> None:
    assert celery.conf.worker_send_task_events is celery.conf.task_send_sent_event is False


def test_there_is_no_result_backend(celery: Celery) -> None:
    assert celery.conf.result_backend is None
    assert celery.conf.task_ignore_result is True


def test_the_broker_is_the_redis_of_the_settings(celery: Celery) -> None:
    assert celery.conf.broker_url == "redis://:hunter2@elsewhere:6379/3"
    assert "hunter2" not in repr(celery)


def test_the_app_is_not_the_default_app(celery: Celery) -> None:
    import celery as module

    assert module.current_app != celery


class Recorder(Celery):  # type: ignore[misc]
    """Records what would be sent."""

    def send_task(self, name: str, **options: Any) -> None:
        self.sent = (name, options)


def test_a_wake_up_carries_its_name_and_no_job() -> None:
    recorder = Recorder(set_as_current=False)
    send_wake_up(recorder, PREDICTIONS, "a-wake-up")
    name, options = recorder.sent
    assert name == "score_predictions.v1"
    assert (options["task_id"], options["queue"]) == ("a-wake-up", "predictions")
    assert options["retry"] is False
    assert not options.keys() & {"args", "kwargs"}
