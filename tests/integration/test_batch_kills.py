"""Fifty workers and children are killed at random moments while batches run, and every result is exact."""

import os
import random
import threading
import time
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.integration.conftest import StartStack
from tests.integration.models import LADDER, STEPS, publish_ladder, score_in_process, step
from tests.integration.service import Service, kill
from tests.integration.stack import Stack, copy_of_bundles

KILLS = 50
WORKERS = 2
ROWS = 60_000
PADDING = "0" * 500
"""Rows are long, so that a file of few rows has many chunks."""


class Poster(threading.Thread):
    """Posts one file after the other, each with rows of its own, until it is stopped."""

    def __init__(self, stack: Stack) -> None:
        super().__init__(daemon=True)
        self.posted: dict[str, int] = {}
        self.stopped = threading.Event()
        self._stack = stack

    def run(self) -> None:
        first = 0
        while not self.stopped.is_set():
            response = requests.post(
                f"{self._stack.address}/v1/batches?model={LADDER}",
                "step\n" + "\n".join(f"{number % STEPS}.{PADDING}" for number in range(first, first + ROWS)),
                headers={"Content-Type": "text/csv"},
                timeout=60,
            )
            self.posted[response.json()["urls"]["self"]] = first
            first += 1
            self.stopped.wait(2)


def kill_at_random(stack: Stack, chance: random.Random) -> None:
    """A worker or any process below it; a lost worker is started again, as a supervisor would."""
    slot = chance.randrange(WORKERS)
    worker: Service = stack.workers[slot]
    children = worker.children()
    if children and chance.random() < 0.7:
        kill(chance.choice(children))
        return
    worker.kill()
    stack.start_worker()
    stack.workers[slot] = stack.workers.pop()


def ended(stack: Stack, path: str) -> Any:
    while not (batch := requests.get(f"{stack.address}{path}?wait=20", timeout=60).json())["finished_at"]:
        pass
    return batch


@pytest.mark.timeout(400)
def test_fifty_kills_change_no_line_of_any_result(start_stack: StartStack, tmp_path: Path) -> None:
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(10**6))
    print(f"to see these kills again: SEED={seed}")  # noqa: T201 (pytest shows it with a failure)
    chance = random.Random(seed)  # noqa: S311 (no secret)
    bundles = copy_of_bundles(tmp_path / "bundles")
    publish_ladder(bundles)
    stack = start_stack(
        {
            "PAYGRADE_BUNDLES": str(bundles),
            "PAYGRADE_QUEUES": "batches",
            "PAYGRADE_BATCH_CHILDREN": "2",
            "PAYGRADE_LEASE_SECONDS": "3",
        }
    )
    stack.start_web()
    for _ in range(WORKERS):
        stack.start_worker()
    poster = Poster(stack)
    poster.start()
    for _ in range(KILLS):
        time.sleep(chance.uniform(0.1, 1.3))
        kill_at_random(stack, chance)
    poster.stopped.set()
    poster.join()
    scores = score_in_process([step(number) for number in range(STEPS)], bundles, LADDER)
    lines = [f"{score}," for score in scores]
    assert poster.posted
    for path, first in poster.posted.items():
        batch = ended(stack, path)
        assert (batch["status"], batch["counts"]["succeeded"]) == ("succeeded", ROWS)
        results = requests.get(f"{stack.address}{path}/results", timeout=60).text.splitlines()
        assert results[0] == "prediction,error"
        assert results[1:] == [lines[number % STEPS] for number in range(first, first + ROWS)]
