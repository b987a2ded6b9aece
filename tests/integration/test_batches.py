"""Batches on a whole stack: it may die in part or in whole, and callers may go away or change their mind."""

import os
import socket
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.integration.conftest import StartStack
from tests.integration.service import wait_until
from tests.integration.stack import Stack

BATCHES = {"PAYGRADE_QUEUES": "batches", "PAYGRADE_BATCH_CHILDREN": "1", "PAYGRADE_LEASE_SECONDS": "2"}
PADDING = "0" * 400
"""Rows are long, so that a file of few rows has many chunks."""


def post(stack: Stack, body: str | bytes, query: str = "") -> Any:
    headers = {"Content-Type": "text/csv"}
    response = requests.post(f"{stack.address}/v1/batches{query}", body, headers=headers, timeout=60)
    assert response.status_code == 202, response.text
    return response.json()


def read(stack: Stack, batch: Any, wait: int = 0) -> Any:
    return requests.get(f"{stack.address}{batch['urls']['self']}?wait={wait}", timeout=60).json()


def many_rows(number: int) -> str:
    return "years\n" + "\n".join(f"{row % 12}.{PADDING}" for row in range(number))


def test_a_batch_goes_on_after_store_web_and_worker_have_died(start_stack: StartStack) -> None:
    stack = start_stack(BATCHES)
    stack.start_web()
    worker = stack.ready(stack.start_worker())
    batch = post(stack, many_rows(300_000))
    wait_until("some of it is scored", lambda: read(stack, batch)["counts"]["succeeded"])
    for service in (stack.store, worker, stack.web):
        service.kill_group()
    stack.start_store()
    stack.start_web()
    assert read(stack, batch)["status"] == "running"
    stack.start_worker()
    ended = wait_until("it has ended", lambda: (now := read(stack, batch, wait=20))["finished_at"] and now)
    assert (ended["status"], ended["counts"]["succeeded"]) == ("succeeded", 300_000)
    lines = requests.get(f"{stack.address}{batch['urls']['results']}", timeout=60).text.splitlines()
    assert len(lines) == 300_001
    assert lines[1:13] == lines[-12:]


def test_a_cancel_takes_hold_and_keeps_what_was_scored(start_stack: StartStack) -> None:
    stack = start_stack(BATCHES)
    stack.start_web()
    stack.ready(stack.start_worker())
    batch = post(stack, many_rows(400_000))
    wait_until("some of it is scored", lambda: read(stack, batch)["counts"]["succeeded"])
    answer = requests.post(f"{stack.address}{batch['urls']['cancel']}", timeout=60)
    assert (answer.status_code, answer.json()["status"]) == (202, "canceling")
    ended = read(stack, batch, wait=20)
    assert ended["status"] == "canceled"
    lines = requests.get(f"{stack.address}{batch['urls']['results']}", timeout=60).text.splitlines()
    assert len(lines) == 1 + ended["counts"]["succeeded"] < 400_000


def test_an_upload_that_ends_early_leaves_nothing(start_stack: StartStack) -> None:
    stack = start_stack(BATCHES)
    stack.start_web()
    with socket.create_connection(("127.0.0.1", stack.port)) as caller:
        head = ["POST /v1/batches HTTP/1.1", "Host: localhost", "Content-Type: text/csv"]
        head += ["Content-Length: 999999", "", "years"]
        caller.sendall("\r\n".join(head).encode() + b"\n1" * 200_000)
        files = Path(stack.data, "files", "batches")
        wait_until("it has begun", files.exists)
    wait_until("it is gone", lambda: not any(names for _, _, names in os.walk(files)))
    assert not stack.redis.keys("job:*")


def test_a_dry_run_tells_what_a_batch_would_come_to(start_stack: StartStack) -> None:
    stack = start_stack(BATCHES)
    stack.start_web()
    stack.ready(stack.start_worker())
    told = requests.post(
        f"{stack.address}/v1/batches?dry_run=true",
        "id,years\na,1\nb,x\n",
        headers={"Content-Type": "text/csv"},
        timeout=60,
    ).json()
    assert told["columns"] == {
        "found": ["id", "years"],
        "kept": ["id"],
        "added": ["prediction", "warnings", "error"],
    }
    assert (told["rows"], told["failed"]) == (2, 1)
    assert told["errors"] == [{"row": 1, "errors": [{"pointer": "/years", "detail": "must be a number"}]}]
    assert requests.get(f"{stack.address}/v1/batches", timeout=60).json()["data"] == []


@pytest.mark.parametrize("kind", ["text/csv", "application/x-ndjson"])
def test_a_body_may_come_in_chunks(start_stack: StartStack, kind: str) -> None:
    stack = start_stack(BATCHES)
    stack.start_web()
    pieces = [b"years\n", b"2.5\n"] if kind == "text/csv" else [b'{"years"', b":2.5}"]
    answer = requests.post(
        f"{stack.address}/v1/batches", iter(pieces), headers={"Content-Type": kind}, timeout=60
    )
    assert answer.status_code == 202, answer.text
