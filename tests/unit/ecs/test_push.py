"""python -m ecs push, with a docker that only notes what it was asked."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.unit.ecs.registry import PASSWORD, Registry

ROOT = Path(__file__).parents[3]
DOCKER = """\
#!/bin/sh
printf '%s\\n' "$*" >> "$NOTES"
case "$*" in
  "$FAILS"*) exit 1 ;;
  login*) cat >> "$NOTES.stdin" ;;
  info*) echo "$STORE" ;;
  "buildx inspect") printf 'Name:   default\\nDriver: %s\\n' "$DRIVER" ;;
esac
"""


@dataclass
class Checkout:
    """A clone in which `push` is run."""

    folder: Path
    registry: Registry
    driver: str = "docker"
    store: str = "[[Backing Filesystem extfs]]"
    fails: str = "nothing"

    def __post_init__(self) -> None:
        tools = self.folder.parent / "tools"
        tools.mkdir()
        self._notes = tools / "notes"
        docker = tools / "docker"
        docker.write_text(DOCKER)
        docker.chmod(0o755)
        self._path = f"{tools}:{os.environ['PATH']}"
        self.folder.mkdir()
        (self.folder / "Dockerfile").write_text("FROM scratch\n")
        self.git("init", "--quiet")
        self.git("add", ".")
        self.git("-c", "user.name=A", "-c", "user.email=a@b.c", "commit", "--quiet", "--message=first")

    def git(self, *arguments: str) -> str:
        done = subprocess.run(
            ["git", *arguments], cwd=self.folder, capture_output=True, text=True, check=True
        )
        return done.stdout.strip()

    @property
    def commit(self) -> str:
        return self.git("rev-parse", "--short=12", "HEAD")

    def push(self, *options: str) -> subprocess.CompletedProcess[str]:
        environment = {
            **self.registry.environment(),
            "PATH": self._path,
            "PYTHONPATH": str(ROOT),
            "NOTES": str(self._notes),
            "DRIVER": self.driver,
            "STORE": self.store,
            "FAILS": self.fails,
        }
        return subprocess.run(
            [sys.executable, "-m", "ecs", "push", *options],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
        )

    def asked(self, verb: str = "") -> list[str]:
        """What docker was asked, and began with the verb."""
        asked = self._notes.read_text().splitlines() if self._notes.exists() else []
        return [line for line in asked if line.startswith(verb)]

    def on_standard_input(self) -> str:
        return Path(f"{self._notes}.stdin").read_text()


@pytest.fixture
def registry() -> Iterator[Registry]:
    with Registry() as registry:
        yield registry


@pytest.fixture
def checkout(tmp_path: Path, registry: Registry) -> Checkout:
    return Checkout(tmp_path / "clone", registry)


def test_both_images_are_built_for_fargate_before_either_is_pushed(checkout: Checkout) -> None:
    done = checkout.push()
    assert done.returncode == 0, done.stderr
    places = {
        image: f"{checkout.registry.address}/paygrade/{image}:{checkout.commit}"
        for image in ("worker", "web")
    }
    build = "buildx build --platform linux/amd64"
    asked = [line for line in checkout.asked() if line.startswith((build, "login", "push"))]
    assert asked[:2] == [f"{build} --target {image} --tag {place} ." for image, place in places.items()]
    assert asked[2].startswith("login")
    assert asked[3:] == [f"push {place}" for place in places.values()]


def test_the_token_goes_in_on_standard_input_only(checkout: Checkout) -> None:
    done = checkout.push()
    assert checkout.on_standard_input() == PASSWORD
    assert checkout.asked("login") == [
        f"login --username AWS --password-stdin http://{checkout.registry.address}"
    ]
    assert PASSWORD not in done.stdout + done.stderr + "".join(checkout.asked())


@pytest.mark.parametrize(
    ("driver", "store"),
    [("docker-container", "[]"), ("docker", "[[driver-type io.containerd.snapshotter.v1]]")],
    ids=["a builder of its own", "containerd's store"],
)
def test_layers_are_zstd_where_the_engine_can(checkout: Checkout, driver: str, store: str) -> None:
    checkout.driver, checkout.store = driver, store
    assert checkout.push().returncode == 0
    builds = checkout.asked("buildx build")
    assert [line.partition("--target ")[2].split()[0] for line in builds] == ["worker", "web"] * 2
    assert ["push=true,compression=zstd" in line for line in builds] == [False, False, True, True]
    assert not [line for line in checkout.asked() if line.startswith(("build ", "push"))]


def test_a_tag_that_is_there_stays_what_it_was(checkout: Checkout) -> None:
    checkout.registry.images[f"paygrade/worker:{checkout.commit}"] = {}
    done = checkout.push("--json")
    web = f"{checkout.registry.address}/paygrade/web:{checkout.commit}"
    assert json.loads(done.stdout) == {"tag": checkout.commit, "pushed": [web]}
    assert checkout.asked("push") == [f"push {web}"]


def test_what_was_not_committed_gets_no_commit_for_a_tag(checkout: Checkout) -> None:
    (checkout.folder / "Dockerfile").write_text("FROM debian\n")
    done = checkout.push()
    assert done.returncode == 2
    assert "Dockerfile was changed" in done.stderr
    assert not checkout.asked()
    assert checkout.push("--tag", "1.4.0").returncode == 0
    assert [line.rpartition(":")[2] for line in checkout.asked("push")] == ["1.4.0", "1.4.0"]


def test_a_build_that_fails_pushes_nothing(checkout: Checkout) -> None:
    checkout.fails = "buildx build --platform linux/amd64 --target web"
    done = checkout.push()
    assert done.returncode == 1
    complaint, next_step = done.stderr.splitlines()[-2:]
    assert complaint.startswith("ecs: docker buildx failed")
    assert "python -m ecs push again" in next_step
    assert not checkout.asked("login")
    assert not checkout.asked("push")


@pytest.mark.parametrize(
    ("options", "says"),
    [
        (["--tag", "not a tag"], "cannot be an image's tag"),
        (["--stack", "elsewhere"], "elsewhere has no repositories yet"),
    ],
)
def test_what_cannot_be_pushed_is_said_in_a_line_and_a_next_step(
    checkout: Checkout, options: list[str], says: str
) -> None:
    done = checkout.push(*options)
    assert done.returncode == 2
    assert says in done.stderr
    assert "Traceback" not in done.stderr
    assert not checkout.asked("buildx build")


def test_without_an_engine_it_says_so(checkout: Checkout) -> None:
    checkout.fails = "version"
    done = checkout.push()
    assert done.returncode == 2
    assert done.stderr == "ecs: docker version: failed\n  next: is Docker running?\n"


def test_elsewhere_than_in_a_clone_it_says_so(checkout: Checkout) -> None:
    (checkout.folder / "Dockerfile").unlink()
    done = checkout.push()
    assert done.returncode == 2
    assert done.stderr.startswith("ecs: there is no Dockerfile here")
