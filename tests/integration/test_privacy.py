"""A job that is deleted leaves nothing of what its caller sent: a search of bytes, over all that is kept."""

import io
import stat
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.integration.conftest import StartStack
from tests.integration.service import wait_until
from tests.integration.stack import Stack
from tests.integration.test_lost_workers import SOON, TROUBLED
from tests.integration.test_webhooks import SETTINGS
from tests.receiver import WebhookReceiver
from worker.sweeper import REWRITTEN

WORD, NUMBER, POISON = "planted-3e9a", "86754.25", "86753.09"
PLANTED = (WORD.encode(), NUMBER.encode(), POISON.encode())
TABLE = f"name,years\n{WORD},2.5\n{WORD},{WORD}\n{WORD},{NUMBER}\n"


@pytest.fixture
def stack(start_stack: StartStack) -> Stack:
    stack = start_stack({**SETTINGS, **SOON, "PAYGRADE_LOG_LEVEL": "DEBUG"})
    stack.redis.config_set("rdbcompression", "no")  # so that a dump of a value has its bytes
    stack.start_web()
    stack.start_worker(*TROUBLED, "poison", POISON)
    return stack


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    with WebhookReceiver() as receiver:
        yield receiver


def call(stack: Stack, method: str, path: str, **options: Any) -> Any:
    response = requests.request(method, stack.address + path, timeout=60, **options)
    assert response.ok, response.text
    return response.json() if response.content else None


def post_prediction(stack: Stack, inputs: Any, receiver: WebhookReceiver) -> str:
    body = {"inputs": inputs, "metadata": {WORD: WORD}, "webhook": f"{receiver.url}/{WORD}"}
    headers = {"Idempotency-Key": f"{WORD}-{inputs['years']}"}
    return str(call(stack, "POST", "/v1/predictions", json=body, headers=headers)["urls"]["self"])


def post_batch(stack: Stack, receiver: WebhookReceiver) -> str:
    fields = {"webhook": f"{receiver.url}/{WORD}"}
    files = {"file": (f"{WORD}.csv", io.BytesIO(TABLE.encode()), "text/csv")}
    headers = {"Idempotency-Key": WORD}
    posted = call(stack, "POST", "/v1/batches", data=fields, files=files, headers=headers)
    return str(posted["urls"]["self"])


def post_rows(stack: Stack) -> str:
    body = {"rows": [{"years": 2.5}, {"years": WORD}], "metadata": {WORD: WORD}}
    return str(call(stack, "POST", "/v1/batches", json=body)["urls"]["self"])


def places(stack: Stack) -> set[str]:
    """Where something that was planted is: keys and values of the store, files, logs, and metrics."""
    kept = {f"key {key!r}": key + (stack.records.dump(key) or b"") for key in stack.records.scan_iter()}
    for file in stack.data.rglob("*"):
        if file.is_file():
            kept[f"file {file.relative_to(stack.data)}"] = str(file).encode() + file.read_bytes()
    kept["metrics"] = requests.get(f"{stack.address}/metrics", timeout=60).content
    return {place for place, held in kept.items() if any(planted in held for planted in PLANTED)}


def test_nothing_is_left_of_jobs_that_are_deleted(stack: Stack, receiver: WebhookReceiver) -> None:
    scored = post_prediction(stack, {"years": float(NUMBER)}, receiver)
    given_up = post_prediction(stack, {"years": float(POISON)}, receiver)
    batch = post_batch(stack, receiver)
    jobs = [scored, given_up, batch, post_rows(stack)]
    for job in jobs:
        wait_until("it has ended", lambda: call(stack, "GET", f"{job}?wait=20")["finished_at"])  # noqa: B023
    retry = call(stack, "POST", f"{batch}/retry")["urls"]["self"]
    wait_until("the retry has ended", lambda: call(stack, "GET", f"{retry}?wait=20")["finished_at"])
    wait_until("all are told", lambda: len(receiver.received) >= 3)
    kinds = {place.partition(" ")[0] for place in places(stack)}
    assert kinds == {"key", "file"}  # what was planted can be found, and is in no metric
    assert not any(place.endswith(".log") for place in places(stack))
    for job in (*jobs, retry):
        call(stack, "DELETE", job)
    wait_until("only the append-only file has it", lambda: only_in_store_file(places(stack)))
    stack.redis.delete(REWRITTEN)  # half a day later
    wait_until("nothing has it", lambda: not places(stack))


def only_in_store_file(found: set[str]) -> bool:
    return all(place.startswith("file store/appendonlydir/") for place in found)


def test_files_are_readable_by_their_owner_alone(stack: Stack, receiver: WebhookReceiver) -> None:
    post_batch(stack, receiver)
    files = [file for file in (stack.data / "files").rglob("*") if file.is_file() or file.is_dir()]
    assert files
    assert not [file for file in files if open_to_others(file)]


def open_to_others(file: Path) -> bool:
    return bool(stat.S_IMODE(file.stat().st_mode) & 0o077)
