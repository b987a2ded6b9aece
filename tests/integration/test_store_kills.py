"""A store that is killed under load, on a disk that is slow or not, has every job that was accepted."""

import random
import shlex
import shutil
import subprocess
import time
from pathlib import Path

import pytest
import yaml

import run
from tests.integration.callers import Crowd
from tests.integration.conftest import StartStack
from tests.integration.service import ROOT, wait_until
from tests.integration.stack import Stack

SOURCE = Path(__file__).with_name("slow_disk.c")


def of_make_run() -> list[str]:
    """The options of the store under `make run`, but for its address, folder and password."""
    lines = (line.split(" ", 1) for line in run.STORE.splitlines())
    kept = {
        name: value.strip('"') for name, value in lines if name.startswith(("append", "save", "maxmemory"))
    }
    return [word for name, value in kept.items() for word in (f"--{name}", value)]


def of_compose() -> list[str]:
    service = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["redis"]
    words = shlex.split(service["command"][-1].partition("exec valkey-server")[2])
    return words[: words.index("--requirepass")]


OPTIONS = {"make run": of_make_run(), "compose": of_compose()}


@pytest.fixture(scope="module")
def slow_disk(tmp_path_factory: pytest.TempPathFactory) -> str:
    """The library that makes a disk slow."""
    compiler = shutil.which("cc")
    if not compiler:
        pytest.skip("needs a C compiler; CI has it")
    library = tmp_path_factory.mktemp("slow") / "slow_disk.so"
    subprocess.run([compiler, "-shared", "-fPIC", "-o", library, SOURCE, "-ldl"], check=True)
    return str(library)


def row(number: int) -> dict[str, float]:
    return {"years": number % 13}


@pytest.mark.timeout(900)
@pytest.mark.parametrize("options", OPTIONS)
@pytest.mark.parametrize(
    ("kills", "fsync_ms"),
    [(2, 100), pytest.param(5, 1200, marks=pytest.mark.slow), pytest.param(50, 100, marks=pytest.mark.slow)],
)
def test_a_store_killed_under_load_has_every_accepted_job(
    start_stack: StartStack, slow_disk: str, options: str, kills: int, fsync_ms: int
) -> None:
    assert "always" in OPTIONS[options]
    stack = start_stack({"PAYGRADE_MAX_WAITING": "1000000"})
    stack.store.kill()
    slow = {"LD_PRELOAD": slow_disk, "SLOW_FSYNC_MS": str(fsync_ms)}
    start(stack, options, slow)
    stack.start_web()
    chance = random.Random()  # noqa: S311 (no secret)
    with Crowd(stack.address, 16, row, pause=0.001) as crowd:
        for _ in range(kills):
            crowd.post_more(30)
            time.sleep(chance.uniform(0, 2 * fsync_ms / 1000))
            stack.store.kill()
            start(stack, options, slow)
        crowd.post_more(1)
    ids = sorted(crowd.accepted)
    assert len(ids) > 30 * kills
    lost = [job_id for job_id, record in zip(ids, stack.read(ids), strict=True) if record is None]
    assert lost == []
    assert stack.redis.xlen("queue:predictions") >= len(ids)


def start(stack: Stack, options: str, environment: dict[str, str]) -> None:
    stack.start_store(*OPTIONS[options], **environment)
    wait_until("web reaches it again", stack.store_answers)
