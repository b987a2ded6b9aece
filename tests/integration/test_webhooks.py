"""Webhooks reach their receivers at least once, whatever receivers and web do; nobody waits for another."""

import threading
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from standardwebhooks import Webhook

from tests.integration.service import wait_until
from tests.integration.stack import Stack
from tests.receiver import Handler, Received, WebhookReceiver, hang_up, with_status

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
SETTINGS = {
    "PAYGRADE_WEBHOOK_SECRETS": f"anonymous:{SECRET}",
    "PAYGRADE_WEBHOOK_HOSTS": "localhost,127.0.0.1",
    "PAYGRADE_QUEUES": "predictions,batches",
    "PAYGRADE_BATCH_CHILDREN": "1",
}


@pytest.fixture(scope="module")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    with Stack(tmp_path_factory.mktemp("webhooks"), SETTINGS) as stack:
        stack.start_web()
        stack.ready(stack.start_worker(), children=2)
        yield stack


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    with WebhookReceiver() as receiver:
        yield receiver


def post(stack: Stack, url: str) -> str:
    body = {"inputs": {"years": 2.5}, "webhook": url}
    response = requests.post(f"{stack.address}/v1/predictions", json=body, timeout=10)
    assert response.status_code == 202, response.text
    return str(response.json()["id"])


def delivery(stack: Stack, job_id: str) -> dict[str, Any]:
    response = requests.get(f"{stack.address}/v1/predictions/{job_id}/deliveries", timeout=10)
    [found] = response.json()["data"] or [{"status": None, "attempts": []}]
    return dict(found)


def verified(received: Received) -> dict[str, Any]:
    payload: dict[str, Any] = Webhook(SECRET).verify(received.body, received.headers)
    return payload


def test_a_receiver_is_told_of_predictions_and_batches(stack: Stack, receiver: WebhookReceiver) -> None:
    job_id = post(stack, receiver.url)
    wait_until("the prediction is told", lambda: receiver.received)
    assert verified(receiver.received[0])["data"]["id"] == job_id
    assert verified(receiver.received[0])["data"]["output"] == {"prediction": 260.00012}
    requests.post(
        f"{stack.address}/v1/batches",
        params={"webhook": receiver.url},
        data=b"years\n2.5\n",
        headers={"Content-Type": "text/csv"},
        timeout=10,
    )
    wait_until("the batch is told", lambda: len(receiver.received) == 2)
    assert verified(receiver.received[1])["type"] == "batch.succeeded"


def test_a_receiver_that_fails_is_tried_again(stack: Stack, receiver: WebhookReceiver) -> None:
    answers = iter([with_status(500), hang_up, with_status(302, Location="http://127.0.0.1:9/")])
    receiver.behave = lambda handler: next(answers, with_status(200))(handler)
    job_id = post(stack, receiver.url)
    for attempts in range(1, 4):
        wait_until("the attempt is made", lambda: len(delivery(stack, job_id)["attempts"]) == attempts)  # noqa: B023
        make_due(stack, job_id, receiver)
    wait_until("it is delivered", lambda: delivery(stack, job_id)["status"] == "delivered")
    met = [(attempt["status"], attempt["error"]) for attempt in delivery(stack, job_id)["attempts"]]
    assert met == [(500, None), (None, "no_answer"), (302, None), (200, None)]
    assert len({received.headers["webhook-id"] for received in receiver.received}) == 1


def test_a_receiver_that_was_down_is_told_later(stack: Stack, receiver: WebhookReceiver) -> None:
    with WebhookReceiver() as gone:
        port = gone.port
    job_id = post(stack, f"http://localhost:{port}/hook")
    wait_until("an attempt failed", lambda: delivery(stack, job_id)["attempts"])
    assert delivery(stack, job_id)["attempts"][0]["error"] == "connection_failed"
    with WebhookReceiver(port) as back:
        wait_until("it is told by itself", lambda: back.received)


def test_a_slow_receiver_holds_up_nobody_else(stack: Stack, receiver: WebhookReceiver) -> None:
    others_are_told = threading.Event()

    def wait_for_others(handler: Handler) -> None:
        assert others_are_told.wait(60)
        handler.answer(204)

    with WebhookReceiver() as slow:
        slow.behave = wait_for_others
        for _ in range(40):
            post(stack, slow.url)
        wait_until("the slow receiver is busy", lambda: len(slow.received) >= 4)
        told = [post(stack, receiver.url) for _ in range(20)]
        wait_until("the others are told", lambda: len(receiver.received) == len(told))
        assert len(slow.received) == 4
        scored = requests.post(
            f"{stack.address}/v1/predictions",
            json={"inputs": {"years": 2.5}},
            headers={"Prefer": "wait=20"},
            timeout=30,
        )
        assert scored.status_code == 200
        others_are_told.set()
        wait_until("the slow receiver has all", lambda: len(slow.received) == 40)


def test_web_killed_after_sending_sends_again_under_the_same_id(
    stack: Stack, receiver: WebhookReceiver
) -> None:
    web = stack.web

    def kill_web(handler: Handler) -> None:
        web.kill_group()
        handler.answer(204)

    receiver.behave = kill_web
    job_id = post(stack, receiver.url)
    wait_until("web is killed", lambda: not web.alive)
    receiver.behave = with_status(204)
    stack.start_web()
    assert delivery(stack, job_id)["attempts"] == []
    make_due(stack, job_id, receiver)
    wait_until("it is sent again", lambda: delivery(stack, job_id)["status"] == "delivered")
    first, second = receiver.received
    assert first.headers["webhook-id"] == second.headers["webhook-id"] == f"msg_{job_id}"
    assert verified(first)["data"] == verified(second)["data"]


def make_due(stack: Stack, job_id: str, receiver: WebhookReceiver) -> None:
    """The time of its next attempt, or the end of its lease, has come."""
    lane = f"anonymous|localhost:{receiver.port}"
    stack.redis.zadd(f"webhooks:{lane}", {job_id: 0}, xx=True)
    stack.redis.zadd("webhooks", {lane: 0})
