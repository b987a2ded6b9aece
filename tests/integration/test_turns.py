"""Two keys: what one has posted keeps the other waiting for a claim or two, and no longer."""

from collections.abc import Iterator
from itertools import islice
from typing import Any

import pytest
import requests
from redis import Redis

from jobs.batches.record import BatchRecord
from jobs.batches.store import BatchStore
from jobs.settings import Settings
from tests.hostile.files import HostileFile, costly_files
from tests.integration.callers import Caller
from tests.integration.conftest import StartStack
from tests.integration.service import PATIENCE, wait_until
from tests.integration.stack import Stack
from web.keys import digest
from worker.limits import LEAST_BUDGET

KEYS = ",".join(f"{name}:{digest(name)}" for name in ("quiet", "loud"))
LISTS, ROWS = 300, 1_000
SLOW_LISTS, SLOW_PACE = 8, 1_000
"""Each takes a second."""
BATCHES = 30
ONE_ROW = b'{"rows":[{"years":2.5}]}'
COSTLY = 17
"""The hostile files that each would take much memory, time or room: those whose results are CSV."""
MOST_ENDED_BEFORE = 5
"""How many of them may end before a batch that came after them."""
MOST_CLAIMED = 60_000
"""Rows of three claims, if each has as many as a claim may have."""


@pytest.fixture
def stack(start_stack: StartStack) -> Stack:
    """Nothing takes work yet; everybody may post as much as the tests do."""
    limits = {"PAYGRADE_MAX_WAITING_ROWS_PER_KEY": "0"}
    stack = start_stack(
        {"PAYGRADE_API_KEYS": KEYS, "PAYGRADE_QUEUES": "predictions,batches", "PAYGRADE_BATCH_CHILDREN": "1"}
        | limits
    )
    stack.start_web()
    return stack


@pytest.fixture
def quiet(stack: Stack) -> Iterator[Caller]:
    caller = Caller(stack.address, "quiet")
    yield caller
    caller.close()


@pytest.fixture
def loud(stack: Stack) -> Iterator[Caller]:
    caller = Caller(stack.address, "loud")
    yield caller
    caller.close()


def post_batch(stack: Stack, key: str) -> str:
    job_id = post_file(stack, key, HostileFile("one row", "application/json", "", ONE_ROW))
    assert job_id
    return job_id


def post_file(stack: Stack, key: str, file: HostileFile) -> str:
    """The id of the batch; empty if the file was refused at once."""
    answer = requests.post(
        f"{stack.address}/v1/batches{file.query}",
        file.data,
        headers={"X-API-Key": key, "Content-Type": file.media_type},
        timeout=PATIENCE,
    )
    assert answer.status_code in (202, 422), answer.text
    job_id: str = answer.json().get("id", "")
    return job_id


def finished(redis: Redis, batches: list[str]) -> list[int]:
    """When each of these ended; all of them have ended."""
    records: list[Any] = list(BatchStore(redis, Settings()).read(batches))
    assert all(isinstance(record, BatchRecord) and record.status == "succeeded" for record in records)
    return [record.finished for record in records]


def test_a_row_behind_another_keys_lists_is_claimed_after_a_few_claims(
    stack: Stack, quiet: Caller, loud: Caller
) -> None:
    rows = [{"years": number / 50} for number in range(ROWS)]
    lists = [loud.accepted(rows) for _ in range(LISTS)]
    single = quiet.accepted({"years": 2.5})
    assert quiet.show(single)["queue"]["position"] <= MOST_CLAIMED
    stack.start_worker()
    assert [loud.ended(job_id)["status"] for job_id in lists] == ["succeeded"] * LISTS
    started = stack.record(single).started
    assert started
    sooner = [record for record in stack.read(lists) if record and (record.started or 0) < started]
    assert len(sooner) * ROWS <= MOST_CLAIMED


def test_a_row_beside_another_keys_lists_is_served_in_the_middle_of_one(
    stack: Stack, quiet: Caller, loud: Caller
) -> None:
    rows = [{"years": number / 50} for number in range(ROWS)]
    lists = [loud.accepted(rows) for _ in range(SLOW_LISTS)]
    stack.start_worker("-m", "tests.integration.troubled_worker", "pace", str(SLOW_PACE))
    loud.ended(lists[1])  # the third is being scored
    answer = quiet.post({"years": 2.5}, wait=20)
    assert answer.status_code == 200, answer.text
    single = stack.record(answer.json()["id"])
    assert [loud.ended(job_id)["status"] for job_id in lists] == ["succeeded"] * SLOW_LISTS
    assert any(_within(single, record) for record in stack.read(lists))


def _within(inner: Any, outer: Any) -> bool:
    return bool(outer.started <= inner.started and inner.finished <= outer.finished)


def test_a_batch_behind_another_keys_batches_ends_before_them(stack: Stack) -> None:
    many = [post_batch(stack, "loud") for _ in range(BATCHES)]
    one = post_batch(stack, "quiet")
    stack.start_worker()
    open_batches = "batches:open"
    wait_until("all batches have ended", lambda: stack.redis.scard(open_batches) == 0)
    [its_end] = finished(stack.records, [one])
    assert sum(end < its_end for end in finished(stack.records, many)) <= 2


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_a_batch_beside_another_keys_hostile_files_goes_on(start_stack: StartStack) -> None:
    stack = start_stack(
        {
            "PAYGRADE_API_KEYS": KEYS,
            "PAYGRADE_QUEUES": "batches",
            "PAYGRADE_BATCH_CHILDREN": "1",
            "PAYGRADE_CHILD_MEMORY": str(LEAST_BUDGET),
        }
    )
    stack.start_web()
    files = islice(costly_files(), COSTLY)
    hostile = [job_id for file in files if (job_id := post_file(stack, "loud", file))]
    one = post_batch(stack, "quiet")
    worker = stack.start_worker()
    wait_until("all batches have ended", lambda: stack.redis.scard("batches:open") == 0, within=600)
    [its_end] = finished(stack.records, [one])
    records: list[Any] = list(BatchStore(stack.records, Settings()).read(hostile))
    assert len(hostile) > MOST_ENDED_BEFORE * 2
    assert sum(record.finished < its_end for record in records) <= MOST_ENDED_BEFORE
    assert worker.events("worker_ended") == worker.events("unexpected_error") == []
