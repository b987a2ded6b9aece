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
    environment = {**cloud.environment(), "PAYGRADE_BUNDLES": SHELF}
    done = subprocess.run(command, cwd=ROOT, env=environment, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    return done.stdout


def publish_fewer_trees(cloud: Cloud, folder: Path) -> None:
    """As salary@2: the command sees that the bucket has salary@1."""
    model_file = BUNDLES / "salary" / "1" / "model.ubj"
    named = ("--name", "salary", "--target", "salary", "--unit", "thousands of dollars")
    model(cloud, "import", model_file, *named, "--trees", "5", "--output", folder)
    published = model(cloud, "publish", folder / "salary" / "2")
    assert "instead of version 1, callers would get version 2" in published
    assert f"salary@2 is in {SHELF}" in published


def test_a_new_version_is_served_and_the_one_before_to_who_pins_it(
    cloud: Cloud, start_stack: StartStack, call: Callable[[Stack], Caller], tmp_path: Path
) -> None:
    salary = BUNDLES / "salary" / "1"
    assert model(cloud, "publish", salary).startswith(f"salary@1 is in {SHELF} (sha256 c176bdea")
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
    publish_fewer_trees(cloud, tmp_path / "trained")

    def another() -> tuple[int, float] | None:
        assert score(model="salary@1") == first
        return None if (newest := score()) == first else newest

    second = (2, *score_in_process([ROW], tmp_path / "trained", "salary"))
    assert wait_until("the new version is served", another, SERVED_WITHIN + A_LOOK) == second
    assert score(model="salary@1") == first
    assert worker.alive
    assert stack.web.alive


def test_an_alias_that_moves_and_a_version_that_is_retired_are_seen_by_all(
    cloud: Cloud, start_stack: StartStack, call: Callable[[Stack], Caller], tmp_path: Path
) -> None:
    model(cloud, "publish", BUNDLES / "salary" / "1", "--alias", "champion")
    publish_fewer_trees(cloud, tmp_path / "trained")
    aws = {name: value for name, value in cloud.environment().items() if name.startswith("AWS_")}
    stack = start_stack({"PAYGRADE_BUNDLES": SHELF, "PAYGRADE_DEFAULT_MODEL": "salary@champion", **aws})
    stack.start_web()
    stack.ready(stack.start_worker())
    caller = call(stack)

    def version(**members: Any) -> int:
        done = caller.post(ROW, wait=20, **members).json()
        assert done["status"] == "succeeded", done
        return int(done["model"]["version"])

    first = {"salary": f"{score_in_process([ROW])[0]}"}
    assert (version(model="salary@champion"), version(), version(model="salary")) == (1, 1, 2)
    assert caller.recms(ROW).json() == first
    model(cloud, "alias", "salary@champion", "2")
    wait_until("the alias has moved", lambda: version() == 2, SERVED_WITHIN + A_LOOK)
    assert caller.recms(ROW).json() != first
    model(cloud, "rollback", "salary@champion")
    model(cloud, "retire", "salary@2")
    wait_until("the alias is back", lambda: version() == 1, SERVED_WITHIN + A_LOOK)
    assert version(model="salary") == 1
    refused = caller.post(ROW, model="salary@2")
    assert refused.status_code == 404
    assert "version 2 of model salary is retired; its newest version is 1" in refused.json()["detail"]
