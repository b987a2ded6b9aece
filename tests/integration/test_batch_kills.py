"""Workers and children are killed at random moments while batches run, and every result is exact."""

import gzip
import os
import random
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import requests

from tests.integration.conftest import StartStack
from tests.integration.models import LADDER, STEPS, publish_ladder, score_in_process, step
from tests.integration.s3 import S3
from tests.integration.service import Service, kill
from tests.integration.stack import Stack, copy_of_bundles

KILLS, KILLS_WITH_S3 = 50, 12
WORKERS = 2
ROWS, ROWS_IN_S3 = 60_000, 20_000
PADDING = "0" * 500
"""Rows are long, so that a file of few rows has many chunks."""


class Poster(threading.Thread):
    """Posts one file after the other, each with rows of its own, until it is stopped."""

    def __init__(self, rows: int, post: Callable[[str], requests.Response]) -> None:
        super().__init__(daemon=True)
        self.rows = rows
        self.posted: dict[str, int] = {}
        self.stopped = threading.Event()
        self._post = post

    def run(self) -> None:
        first = 0
        while not self.stopped.is_set():
            steps = (f"{number % STEPS}.{PADDING}" for number in range(first, first + self.rows))
            self.posted[self._post("step\n" + "\n".join(steps)).json()["urls"]["self"]] = first
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


@pytest.fixture
def chance() -> random.Random:
    seed = int(os.environ.get("SEED") or random.SystemRandom().randrange(10**6))
    print(f"to see these kills again: SEED={seed}")  # noqa: T201 (pytest shows it with a failure)
    return random.Random(seed)  # noqa: S311 (no secret)


@pytest.fixture
def bundles(tmp_path: Path) -> Path:
    bundles = copy_of_bundles(tmp_path / "bundles")
    publish_ladder(bundles)
    return bundles


def settings(bundles: Path) -> dict[str, str]:
    return {
        "PAYGRADE_BUNDLES": str(bundles),
        "PAYGRADE_QUEUES": "batches",
        "PAYGRADE_BATCH_CHILDREN": "2",
        "PAYGRADE_LEASE_SECONDS": "3",
    }


def assert_exact(stack: Stack, poster: Poster, kills: int, chance: random.Random, bundles: Path) -> None:
    """Every line of every result, after so many kills."""
    stack.start_web()
    for _ in range(WORKERS):
        stack.start_worker()
    poster.start()
    for _ in range(kills):
        time.sleep(chance.uniform(0.1, 1.3))
        kill_at_random(stack, chance)
    poster.stopped.set()
    poster.join()
    scores = score_in_process([step(number) for number in range(STEPS)], bundles, LADDER)
    lines = [f"{score}," for score in scores]
    assert poster.posted
    for path, first in poster.posted.items():
        batch = ended(stack, path)
        assert (batch["status"], batch["counts"]["succeeded"]) == ("succeeded", poster.rows)
        results = requests.get(f"{stack.address}{path}/results", timeout=60).text.splitlines()
        assert results[0] == "prediction,error"
        assert results[1:] == [lines[number % STEPS] for number in range(first, first + poster.rows)]


@pytest.mark.timeout(400)
def test_fifty_kills_change_no_line_of_any_result(
    start_stack: StartStack, chance: random.Random, bundles: Path
) -> None:
    stack = start_stack(settings(bundles))

    def post(table: str) -> requests.Response:
        headers = {"Content-Type": "text/csv"}
        return requests.post(f"{stack.address}/v1/batches?model={LADDER}", table, headers=headers, timeout=60)

    assert_exact(stack, Poster(ROWS, post), KILLS, chance, bundles)


@pytest.mark.timeout(400)
def test_nor_do_kills_where_all_files_are_in_s3(
    start_stack: StartStack, chance: random.Random, bundles: Path, s3: S3
) -> None:
    for bucket in ("salaries", "paygrade"):
        s3.client.create_bucket(Bucket=bucket)
    stack = start_stack(
        {
            **settings(bundles),
            **s3.environment,
            "PAYGRADE_FILES": "s3://paygrade/files",
            "PAYGRADE_S3_ALLOW": "s3://salaries",
        }
    )

    def post(table: str) -> requests.Response:
        key = f"in/{len(poster.posted)}.csv"
        body = {"model": LADDER, "input": f"s3://salaries/{key}", "output": "s3://salaries/out/"}
        data = table.encode()
        s3.client.put_object(
            Bucket="salaries", Key=key, Body=gzip.compress(data, 1) if chance.random() < 0.5 else data
        )
        return requests.post(f"{stack.address}/v1/batches", json=body, timeout=60)

    poster = Poster(ROWS_IN_S3, post)
    assert_exact(stack, poster, KILLS_WITH_S3, chance, bundles)
