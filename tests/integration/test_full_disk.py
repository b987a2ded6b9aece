"""The disk of the file store is full: nothing half-written is left, nobody dies of it, what waits goes on."""

import json
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import requests

from tests.integration.conftest import StartStack
from tests.integration.service import wait_until
from tests.integration.stack import Stack
from tests.integration.test_batches import BATCHES, post, read

DISK = 32 * 1024 * 1024
ROWS = 100_000


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of its own; only root may make one."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={DISK}", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("a file system cannot be mounted here")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def fill(disk: Path, leave: int) -> Path:
    """All of the disk but so many bytes."""
    ballast = disk / "ballast"
    free = subprocess.run(
        ["df", "--output=avail", "-B1", str(disk)], capture_output=True, check=True, text=True
    ).stdout.split()[-1]
    ballast.write_bytes(b"x" * (int(free) - leave))
    return ballast


def files_of(disk: Path) -> list[Path]:
    return [file for file in disk.rglob("*") if file.is_file() and file.name != "ballast"]


def table() -> str:
    return "years\n" + "\n".join(f"{row % 12}.5" for row in range(ROWS))


@pytest.fixture
def stack(start_stack: StartStack, disk: Path) -> Stack:
    stack = start_stack({**BATCHES, "PAYGRADE_FILES": str(disk), "PAYGRADE_FILES_PATIENCE_SECONDS": "8"})
    stack.start_web()
    return stack


@pytest.mark.parametrize("kind", ["text/csv", "application/json"])
def test_at_the_door_a_full_disk_is_a_503_that_leaves_nothing(stack: Stack, disk: Path, kind: str) -> None:
    ballast = fill(disk, leave=100_000)
    body = table() if kind == "text/csv" else json.dumps({"rows": [{"years": 2.5}] * 50_000})
    headers = {"Content-Type": kind, "Idempotency-Key": "once"}
    refused = requests.post(f"{stack.address}/v1/batches", body, headers=headers, timeout=60)
    assert (refused.status_code, refused.headers["Retry-After"]) == (503, "30")
    assert refused.json()["detail"] == "The file store is nearly full; try again later, or tell the operator."
    assert (files_of(disk), stack.redis.keys("job:*")) == ([], [])
    ballast.unlink()
    again = requests.post(f"{stack.address}/v1/batches", body, headers=headers, timeout=60)
    assert again.status_code == 202


@pytest.mark.parametrize("results", ["csv", "ndjson", "parquet"])
def test_a_batch_goes_on_once_there_is_room(stack: Stack, disk: Path, results: str) -> None:
    batch = post(stack, table(), f"?results={results}&include_inputs=true")
    ballast = fill(disk, leave=10_000)
    worker = stack.ready(stack.start_worker())
    wait_until("it has no room", lambda: worker.events("task_abandoned"))
    drafts = [file.name for file in files_of(disk) if file.name.startswith(".")]
    assert all(name.startswith((".result-", ".errors-")) for name in drafts)  # to go on with
    ballast.unlink()
    ended = wait_until("it has ended", lambda: (now := read(stack, batch, wait=20))["finished_at"] and now)
    assert (ended["status"], ended["counts"]["succeeded"]) == ("succeeded", ROWS)
    assert len(worker.events("ready")) == 1
    assert "Traceback" not in worker.says()


def test_a_batch_that_never_finds_room_waits_for_it_and_then_fails(stack: Stack, disk: Path) -> None:
    batch = post(stack, table())
    fill(disk, leave=10_000)
    worker = stack.ready(stack.start_worker())
    ended = wait_until("it has ended", lambda: (now := read(stack, batch, wait=20))["finished_at"] and now)
    assert (ended["status"], ended["error"]["type"]) == ("failed", "files_unavailable")
    assert len(worker.events("task_abandoned")) > 3  # more often than a task may fail
