"""Whoever can write into Redis cannot stop a worker with a message."""

import json
from typing import Any

import pytest

from jobs.queues.names import BATCHES, PREDICTIONS, Queue
from tests.integration.callers import Caller
from tests.integration.service import wait_until
from tests.integration.stack import Stack
from tests.unit.worker.test_wake_up_transport import ADDED, BROKEN, GOOD
from worker.wake_up_transport import wake_up

NO_JSON = [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"gASVCgAAAAAAAACMBmVjaG8gMZQu"]


@pytest.mark.parametrize("queue", [PREDICTIONS, BATCHES], ids=lambda queue: queue.name)
def test_messages_that_are_no_wake_ups_stop_no_worker(shared: Stack, queue: Queue) -> None:
    [worker] = shared.workers
    ready = len(worker.events("ready"))
    good = wake_up(GOOD["headers"]["id"], queue.name)
    messages: list[Any] = [*NO_JSON, *map(json.dumps, BROKEN), *(json.dumps(good | added) for added in ADDED)]
    dropped = len(worker.events("message_dropped"))
    shared.redis.lpush(queue.name, *messages)
    wait_until("all are taken", lambda: shared.redis.llen(queue.name) == 0)
    wait_until(
        "all are dropped",
        lambda: len(worker.events("message_dropped")) >= dropped + len(NO_JSON) + len(BROKEN),
    )
    caller = Caller(shared.address)
    assert caller.recms({"years": "2.5"}).json() == {"salary": "260.00012"}
    caller.close()
    assert len(worker.events("ready")) == ready
    assert "Unrecoverable" not in worker.says()
