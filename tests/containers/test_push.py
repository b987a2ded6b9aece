"""python -m ecs push with a real engine, to a local registry in place of ECR."""

import subprocess
import sys
from pathlib import Path

from ecs import images
from tests.containers.compose import docker, fresh_clone, run
from tests.integration.service import clean_environment
from tests.unit.ecs.registry import Registry


def test_push_puts_the_images_of_the_commit_into_the_registry(tmp_path: Path) -> None:
    clone = fresh_clone(tmp_path / "clone")
    run("git", "init", "--quiet", cwd=clone)
    run("git", "add", ".", cwd=clone)
    run(
        "git",
        "-c",
        "user.name=A",
        "-c",
        "user.email=a@b.c",
        "commit",
        "--quiet",
        "--message=first",
        cwd=clone,
    )
    tag = run("git", "rev-parse", "--short=12", "HEAD", cwd=clone).strip()
    with Registry() as registry:
        environment = clean_environment(**registry.environment())
        try:
            push = [sys.executable, "-m", "ecs", "push"]
            done = subprocess.run(push, cwd=clone, env=environment, capture_output=True, text=True)
            assert done.returncode == 0, done.stderr
            assert "base image python:3.13-slim-bookworm" in done.stdout
            pushed = {f"paygrade/{image}:{own}" for image, own in images.tags(tag).items()}
            assert set(registry.images) == pushed
            for manifest in registry.images.values():
                assert {layer["digest"] for layer in manifest["layers"]} <= registry.blobs.keys()
        finally:
            docker("logout", registry.address)
            docker(
                "rmi",
                *(f"{registry.address}/paygrade/{image}:{own}" for image, own in images.tags(tag).items()),
            )
