"""Several files in S3 are one batch, with real workers, from whose deaths it recovers."""

import gzip
import subprocess
from pathlib import Path
from typing import Any

import orjson
import pytest
import requests
from paygrade import Client

from tests.integration.conftest import StartStack
from tests.integration.s3 import S3
from tests.integration.service import PYTHON, wait_until
from tests.integration.stack import Stack
from tests.integration.test_batches import BATCHES, PADDING, read

ROWS = 20_000


@pytest.fixture
def stack(start_stack: StartStack, s3: S3) -> Stack:
    s3.client.create_bucket(Bucket="salaries")
    stack = start_stack(BATCHES | s3.environment | {"PAYGRADE_S3_ALLOW": "s3://salaries"})
    stack.start_web()
    return stack


def put(s3: S3, key: str, body: str | bytes) -> None:
    s3.client.put_object(Bucket="salaries", Key=key, Body=body)


def content(s3: S3, key: str) -> bytes:
    found: bytes = s3.client.get_object(Bucket="salaries", Key=key)["Body"].read()
    return found


def post(stack: Stack, **body: str) -> Any:
    answer = requests.post(f"{stack.address}/v1/batches", json=body, timeout=60)
    assert answer.status_code == 202, answer.text
    return answer.json()


def test_two_files_become_two_results_and_a_manifest(stack: Stack, s3: S3, tmp_path: Path) -> None:
    stack.start_worker()
    put(s3, "in/ada.csv", "name,years\nada,2.5\n")
    put(s3, "in/2026/bob.csv", "name,years\nbob,many\n")
    with Client(stack.address) as client:
        job = client.score_file("s3://salaries/in/", "s3://salaries/out", on_failed="ignore")
        files = {file["name"]: file for file in client.manifest(job)["files"]}
        client.download_files(job, tmp_path / "scored")
        assert [row["name"] for row in client.results(job, file=files["ada.csv"]["file"])] == ["ada"]
        assert client.first_errors(job) == ["row 1: years must be a number"]
    assert job["status"] == "partially_succeeded"
    for name in (
        "ada.csv.result.csv",
        "2026/bob.csv.result.csv",
        "2026/bob.csv.errors.ndjson",
        "manifest.json",
    ):
        assert content(s3, f"out/{job['id']}/{name}") == (tmp_path / "scored" / name).read_bytes()
    assert content(s3, f"out/{job['id']}/ada.csv.result.csv").splitlines()[1] == b"ada,260.00012,,"


def test_the_command_scores_a_glob_into_a_folder(stack: Stack, s3: S3, tmp_path: Path) -> None:
    stack.start_worker()
    for name in ("a", "b"):
        put(s3, f"in/{name}.csv", "years\n2.5\n")
    put(s3, "in/c.csv", "age\n30\n")
    command = [PYTHON, "-m", "paygrade", "score", "s3://salaries/in/*.csv", "--url", stack.address]
    said = subprocess.run([*command, "-o", tmp_path / "scored"], capture_output=True, text=True, timeout=60)
    assert said.returncode == 1
    assert said.stderr.splitlines()[:2] == [
        "partially_succeeded: 0 of 2 rows failed",
        "  1 of 3 files failed: s3://salaries/in/c.csv: there is no column years",
    ]
    found = sorted(file.name for file in (tmp_path / "scored").iterdir())
    assert found == ["a.csv.result.csv", "b.csv.result.csv", "manifest.json"]
    said = subprocess.run(command, capture_output=True, text=True, timeout=60)
    assert len(orjson.loads(said.stdout)["files"]) == 3


def test_files_are_exact_whose_workers_die_at_each_step_and_whose_parts_are_damaged(
    stack: Stack, s3: S3, tmp_path: Path
) -> None:
    rows = [f"{row % 13 + 1}.{PADDING}" for row in range(ROWS)]
    table = ("years\n" + "\n".join(rows)).encode()
    put(s3, "in/a.csv", table)
    put(s3, "in/b.csv.gz", gzip.compress(table, 1))
    put(s3, "in/c.csv", "years\n2.5\n")
    put(s3, "in/d.csv", "age\n30\n")
    troubles = tmp_path / "troubles"
    troubles.mkdir()
    worker = stack.start_worker("-m", "tests.integration.troubled_worker", "steps", str(troubles))
    batch = post(stack, input="s3://salaries/in/")
    ended = wait_until("it has ended", lambda: (now := read(stack, batch, wait=20))["finished_at"] and now)
    happened = {file.name for file in troubles.iterdir() if file.name.startswith("happened-")}
    assert happened == {"happened-planned", "happened-joined", "happened-damaged"}
    assert worker.events("parts_damaged")
    assert ended["status"] == "partially_succeeded", ended
    assert ended["counts"] == {"total": 2 * ROWS + 1, "succeeded": 2 * ROWS + 1, "failed": 0}
    assert ended["files"] == {"total": 4, "failed": 1}
    a, b, c = (results_of(stack, batch, number) for number in range(3))
    assert a == b
    assert len(a) == ROWS + 1
    assert all(a[1 + row] == a[1 + row % 13] for row in range(ROWS))
    assert c[1].startswith("260.00012")


def results_of(stack: Stack, batch: Any, number: int) -> list[str]:
    answer = requests.get(f"{stack.address}{batch['urls']['results']}?file={number}", timeout=60)
    assert answer.status_code == 200, answer.text
    return answer.text.splitlines()


def test_a_cancel_takes_hold_between_and_within_files(stack: Stack, s3: S3) -> None:
    stack.ready(stack.start_worker())
    table = "years\n" + "\n".join(f"{row % 12}.{PADDING}" for row in range(ROWS))
    for number in range(20):
        put(s3, f"in/{number:02}.csv", table)
    batch = post(stack, input="s3://salaries/in/")
    wait_until("some of it is scored", lambda: read(stack, batch)["counts"]["succeeded"])
    requests.post(f"{stack.address}{batch['urls']['cancel']}", timeout=60)
    ended = wait_until("it has ended", lambda: (now := read(stack, batch, wait=20))["finished_at"] and now)
    assert ended["status"] == "canceled"
    assert 0 < ended["counts"]["succeeded"] < 20 * ROWS
    manifest = requests.get(f"{stack.address}{batch['urls']['manifest']}", timeout=60).json()
    assert sum(file["rows"] for file in manifest["files"]) == ended["counts"]["succeeded"]
