"""Workers die while they plan and join, and parts are damaged; a cancel ends whatever runs."""

import gzip
import time
from pathlib import Path

import requests

from tests.integration.conftest import StartStack
from tests.integration.service import wait_until
from tests.integration.test_batches import BATCHES, PADDING, post, read

ROWS = 60_000
ENDLESS_FIELDS = b"years,note\n" + (b'2.5,"",a"' + b"," * 7_000_000 + b"\n") * 60
"""Each of its records takes a quarter of a second to find the end of, and all of them half a megabyte."""


def test_a_batch_is_exact_whose_workers_die_at_each_step_and_whose_parts_are_damaged(
    start_stack: StartStack, tmp_path: Path
) -> None:
    stack = start_stack(BATCHES)
    stack.start_web()
    rows = [f"{row % 13 + 1}.{PADDING}" for row in range(ROWS)]
    batch = post(stack, gzip.compress(("years\n" + "\n".join(rows)).encode(), 1))
    troubled = ("-m", "tests.integration.troubled_worker", "steps", str(tmp_path))
    worker = stack.start_worker(*troubled)
    ended = wait_until("it has ended", lambda: (now := read(stack, batch, wait=20))["finished_at"] and now)
    happened = {file.name for file in tmp_path.iterdir() if file.name.startswith("happened-")}
    assert happened == {"happened-planned", "happened-joined", "happened-damaged"}
    assert worker.events("parts_damaged")
    assert (ended["status"], ended["counts"]) == (
        "succeeded",
        {"total": ROWS, "succeeded": ROWS, "failed": 0},
    )
    lines = requests.get(f"{stack.address}{batch['urls']['results']}", timeout=60).text.splitlines()[1:]
    assert len(lines) == ROWS
    assert all(lines[row] == lines[row % 13] for row in range(ROWS))
    assert len(set(lines[:13])) > 1


def test_a_cancel_ends_the_planning_of_a_file_that_takes_long(start_stack: StartStack) -> None:
    stack = start_stack(BATCHES)
    stack.start_web()
    worker = stack.ready(stack.start_worker())
    batch = post(stack, gzip.compress(ENDLESS_FIELDS))
    wait_until("it is being planned", lambda: stack.redis.xpending("queue:batches", "workers")["pending"])
    time.sleep(1)
    answer = requests.post(f"{stack.address}{batch['urls']['cancel']}", timeout=60)
    assert answer.status_code in (200, 202)
    quick = post(stack, "years\n2.5\n")
    assert read(stack, quick, wait=10)["status"] == "succeeded"
    assert read(stack, batch)["status"] == "canceled"
    assert not worker.events("planned")[1:]
