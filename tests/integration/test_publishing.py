"""What is published to S3 while Paygrade runs is served without a restart, beside what was there before."""

import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.integration.callers import Caller
from tests.integration.conftest import StartStack
from tests.integration.ecs.cloud import REGION, Cloud
from tests.integration.models import score_in_process
from tests.integration.service import PYTHON, ROOT, wait_until
from tests.integration.stack import BUNDLES, Stack

SHELF = "s3://models/live"
ROW = {"years": 2.5}
SERVED_WITHIN = 30.0
A_LOOK = 5.0
"""What listing and fetching may take on a busy machine."""


@pytest.fixture
def cloud(tmp_path: Path) -> Iterator[Cloud]:
    folder = tmp_path / "cloud"
    folder.mkdir()
    cloud = Cloud(folder)
    where = {"LocationConstraint": REGION}
    try:
        cloud.client("s3").create_bucket(Bucket="models", CreateBucketConfiguration=where)
        yield cloud
    finally:
        cloud.stop()


def model(cloud: Cloud, *arguments: str | Path) -> str:
    """Runs `python -m model` as from a shell."""
    command = [PYTHON, "-m", "model", *map(str, arguments)]
    done = subprocess.run(command, cwd=ROOT, env=cloud.environment(), capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_new_version_is_served_and_the_one_before_to_who_pins_it(
    cloud: Cloud, start_stack: StartStack, call: Callable[[Stack], Caller], tmp_path: Path
) -> None:
    salary = BUNDLES / "salary" / "1"
    assert model(cloud, "publish", salary, "--to", SHELF) == f"salary@1 is in {SHELF}\n"
    aws = {name: value for name, value in cloud.environment().items() if name.startswith("AWS_")}
    stack = start_stack({"PAYGRADE_BUNDLES": SHELF, **aws})
    stack.start_web()
    worker = stack.ready(stack.start_worker())
    caller = call(stack)

    def score(**members: Any) -> tuple[int, float]:
        done = caller.post(ROW, wait=20, **members).json()
        assert done["status"] == "succeeded", done
        return done["model"]["version"], done["output"]["prediction"]

    first = (1, *score_in_process([ROW]))
    assert score() == first
    fewer = ("--name", "salary", "--target", "salary", "--trees", "5", "--output", tmp_path / "trained")
    model(cloud, "import", salary / "model.ubj", *fewer)
    published = model(cloud, "publish", tmp_path / "trained" / "salary" / "1", "--to", SHELF)
    assert published == f"salary@2 is in {SHELF}\n"

    def another() -> tuple[int, float] | None:
        assert score(model="salary@1") == first
        return None if (newest := score()) == first else newest

    second = (2, *score_in_process([ROW], tmp_path / "trained", "salary"))
    assert wait_until("the new version is served", another, SERVED_WITHIN + A_LOOK) == second
    assert score(model="salary@1") == first
    assert worker.alive
    assert stack.web.alive
