"""One command deploys: it makes the repositories, pushes the images and starts the services."""

import subprocess
from pathlib import Path

import pytest

from tests.integration.ecs.cloud import Cloud
from tests.integration.service import PYTHON, ROOT

DOCKER = f"""\
#!{PYTHON}
import json, os, sys
import boto3
arguments = sys.argv[1:]
if arguments[:2] == ["buildx", "imagetools"]:
    print('"sha256:' + "0" * 64 + '"')
elif arguments[:2] == ["buildx", "inspect"]:
    print("Driver: docker")
elif arguments[0] == "push":
    repository, _, tag = arguments[1].partition("/")[2].partition(":")
    boto3.client("ecr").put_image(
        repositoryName=repository,
        imageTag=tag,
        imageManifest=json.dumps({{"schemaVersion": 2, "config": {{"digest": tag.encode().hex()}}}}),
    )
"""
"""Instead of building, it gives the registry a manifest for each push."""


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A clean clone with a Dockerfile, and a docker command."""
    docker = tmp_path / "tools" / "docker"
    docker.parent.mkdir()
    docker.write_text(DOCKER)
    docker.chmod(0o755)
    clone = tmp_path / "clone"
    clone.mkdir()
    (clone / "Dockerfile").write_text((ROOT / "Dockerfile").read_text())
    for command in (["init", "-q"], ["add", "."], ["commit", "-q", "-m", "first"]):
        identity = ["-c", "user.name=A", "-c", "user.email=a@b.c"]
        subprocess.run(["git", *identity, *command], cwd=clone, check=True)
    return clone


def up(cloud: Cloud, checkout: Path, stack: str, *options: str) -> subprocess.CompletedProcess[str]:
    environment = cloud.environment(
        PYTHONPATH=str(ROOT), AWS_DEFAULT_REGION=cloud.environment()["AWS_REGION"]
    )
    environment["PATH"] = f"{checkout.parent / 'tools'}:{environment['PATH']}"
    return subprocess.run(
        [PYTHON, "-m", "ecs", "up", "--stack", stack, "--yes", *options],
        cwd=checkout,
        env=environment,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=100,
    )


def test_an_empty_account_becomes_a_deployment_in_one_command(
    cloud: Cloud, checkout: Path, stack: str
) -> None:
    done = up(cloud, checkout, stack, "--push")
    assert done.returncode == 0, done.stderr
    assert "a new deployment in region eu-central-1 of account 000000000000" in done.stdout
    assert f"curl -X POST {cloud.ecs('url', '--stack', stack).out.strip()}/recms" in done.stdout
    timed = [line for line in done.stdout.splitlines() if line.endswith(" s")]
    assert [line.partition(":")[0] for line in timed] == [f"{stack}-base", "images", f"{stack}-app"]


def test_the_next_push_deploys_the_next_commit_and_leaves_redis_alone(
    cloud: Cloud, checkout: Path, stack: str
) -> None:
    assert up(cloud, checkout, stack, "--push").returncode == 0
    (checkout / "notes").write_text("changed")
    dirty = up(cloud, checkout, stack, "--push")
    assert dirty.returncode == 2
    assert "notes was changed" in dirty.stderr
    tagged = up(cloud, checkout, stack, "--push", "--tag", "v2")
    assert tagged.returncode == 0, tagged.stderr
    assert "web:v2" in cloud.ecs("ps", "--stack", stack).out
    versions = {
        service["name"]: service["task_definition"].rpartition(":")[2]
        for service in cloud.ecs("ps", "--json", "--stack", stack).json["services"]
    }
    assert versions == {"redis": "1", "worker": "2", "worker-spot": "2", "web": "2"}
