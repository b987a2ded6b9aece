"""python -m ecs push, with a docker command that only records its arguments."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ecs import docker, images
from ecs.docker import DigestUnknown, Docker
from ecs.push import declared_base_images
from tests.unit.ecs.registry import PASSWORD, Registry

pytestmark = pytest.mark.process

ROOT = Path(__file__).parents[3]
DIGEST = f"sha256:{'0' * 64}"
BASE = f"python:3.13@{DIGEST}"
STORE = f"valkey:8@{DIGEST}"
BASES = f"--build-arg PYTHON_IMAGE={BASE} --build-arg VALKEY_IMAGE={STORE}"
STORE_TAG = images.tags("any")["redis"]
IMAGES = ["worker", "predictions", "web", "redis"]
DOCKER = """\
#!/bin/sh
printf '%s\\n' "$*" >> "$CALLS"
case "$*" in
  "$FAILS"*) echo "ERROR: no such host" >&2; exit 1 ;;
  login*) cat >> "$CALLS.stdin" ;;
  info*) echo "$STORE" ;;
  "buildx imagetools inspect"*) echo "$DIGEST" ;;
  "buildx inspect") printf 'Name:   default\\nDriver: %s\\n' "$DRIVER" ;;
esac
"""


@dataclass
class Checkout:
    """A clone in which `push` runs."""

    folder: Path
    registry: Registry
    driver: str = "docker"
    store: str = "[[Backing Filesystem extfs]]"
    fails: str = "nothing"
    digest: str = f'"{DIGEST}"'
    dockerfile: str = "ARG PYTHON_IMAGE=python:3.13\nARG VALKEY_IMAGE=valkey:8\nFROM ${PYTHON_IMAGE}\n"

    def __post_init__(self) -> None:
        tools = self.folder.parent / "tools"
        tools.mkdir()
        self._calls = tools / "calls"
        docker = tools / "docker"
        docker.write_text(DOCKER)
        docker.chmod(0o755)
        self._path = f"{tools}:{os.environ['PATH']}"
        self.folder.mkdir()
        self.git("init", "--quiet")
        self.commit_dockerfile(self.dockerfile)

    def commit_dockerfile(self, content: str) -> None:
        (self.folder / "Dockerfile").write_text(content)
        self.git("add", ".")
        self.git("-c", "user.name=A", "-c", "user.email=a@b.c", "commit", "--quiet", "--message=change")

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
            "CALLS": str(self._calls),
            "DRIVER": self.driver,
            "STORE": self.store,
            "FAILS": self.fails,
            "DIGEST": self.digest,
        }
        return subprocess.run(
            [sys.executable, "-m", "ecs", "push", *options],
            cwd=self.folder,
            env=environment,
            capture_output=True,
            text=True,
        )

    def docker_calls(self, start: str = "") -> list[str]:
        """The arguments of each call that begins with these words."""
        calls = self._calls.read_text().splitlines() if self._calls.exists() else []
        return [line for line in calls if line.startswith(start)]

    def docker_input(self) -> str:
        return Path(f"{self._calls}.stdin").read_text()


@pytest.fixture
def registry() -> Iterator[Registry]:
    with Registry() as registry:
        yield registry


@pytest.fixture
def checkout(tmp_path: Path, registry: Registry) -> Checkout:
    return Checkout(tmp_path / "clone", registry)


def test_all_images_are_built_for_amd64_before_the_first_is_pushed(checkout: Checkout) -> None:
    done = checkout.push()
    assert done.returncode == 0, done.stderr
    targets = {
        image: f"{checkout.registry.address}/paygrade/{image}:{tag}"
        for image, tag in images.tags(checkout.commit).items()
    }
    assert list(targets) == IMAGES
    build = f"buildx build --platform linux/amd64 {BASES}"
    calls = [line for line in checkout.docker_calls() if line.startswith(("buildx build", "login", "push"))]
    assert calls[:4] == [f"{build} --target {image} --tag {target} ." for image, target in targets.items()]
    assert calls[4].startswith("login")
    assert calls[5:] == [f"push {target}" for target in targets.values()]


def test_images_for_arm_are_built_for_it_and_have_tags_of_their_own(checkout: Checkout) -> None:
    """A tag cannot move, and names the images of one architecture."""
    done = checkout.push("--arch", "arm64")
    assert done.returncode == 0, done.stderr
    built = checkout.docker_calls("buildx build")
    assert len(built) == len(IMAGES)
    assert all("--platform linux/arm64" in line for line in built)
    assert f"paygrade/web:{checkout.commit}-arm64" in str(checkout.docker_calls("push"))
    assert f"paygrade/redis:{STORE_TAG}-arm64" in str(checkout.docker_calls("push"))


def test_the_image_of_redis_is_pushed_once(checkout: Checkout) -> None:
    """Another one would restart Redis."""
    checkout.registry.images[f"paygrade/redis:{STORE_TAG}"] = {}
    assert checkout.push().returncode == 0
    assert not [line for line in checkout.docker_calls("push") if "redis" in line]


def test_the_password_is_passed_only_on_standard_input(checkout: Checkout) -> None:
    done = checkout.push()
    assert checkout.docker_input() == PASSWORD
    assert checkout.docker_calls("login") == [
        f"login --username AWS --password-stdin http://{checkout.registry.address}"
    ]
    assert PASSWORD not in done.stdout + done.stderr + "".join(checkout.docker_calls())


@pytest.mark.parametrize(
    ("driver", "store"),
    [("docker-container", "[]"), ("docker", "[[driver-type io.containerd.snapshotter.v1]]")],
    ids=["separate builder", "containerd image store"],
)
def test_layers_are_compressed_with_zstd_if_the_engine_supports_it(
    checkout: Checkout, driver: str, store: str
) -> None:
    checkout.driver, checkout.store = driver, store
    assert checkout.push().returncode == 0
    builds = checkout.docker_calls("buildx build")
    assert [line.partition("--target ")[2].split()[0] for line in builds] == IMAGES * 2
    assert ["push=true,compression=zstd" in line for line in builds] == [False] * 4 + [True] * 4
    assert all(f"{BASES} " in line for line in builds)
    assert not [line for line in checkout.docker_calls() if line.startswith(("build ", "push"))]


def test_the_digest_of_the_base_image_is_printed(checkout: Checkout) -> None:
    done = checkout.push()
    assert f"base image {BASE}\n" in done.stdout
    assert f"base image {STORE}\n" in done.stdout
    assert checkout.docker_calls("buildx imagetools") == [
        f"buildx imagetools inspect --format {{{{json .Manifest.Digest}}}} {image}"
        for image in ("python:3.13", "valkey:8")
    ]


@pytest.mark.parametrize(
    ("fails", "digest", "reason"),
    [
        ("buildx imagetools", "", "ERROR: no such host"),
        ("nothing", "Name: python", "docker printed 'Name: python'"),
    ],
    ids=["no registry", "unknown format"],
)
def test_without_a_digest_the_base_image_is_not_pinned(
    checkout: Checkout, fails: str, digest: str, reason: str
) -> None:
    checkout.fails, checkout.digest = fails, digest
    done = checkout.push()
    assert done.returncode == 0, done.stderr
    assert f"base image python:3.13, not pinned: its registry gives no digest ({reason})\n" in done.stdout
    builds = checkout.docker_calls("buildx build")
    assert [line.partition("--build-arg ")[2].split()[0] for line in builds] == [
        "PYTHON_IMAGE=python:3.13"
    ] * len(IMAGES)


def test_a_registry_that_does_not_respond_gives_no_digest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    command = tmp_path / "docker"
    command.write_text('#!/bin/sh\n[ "$1" = version ] || exec sleep 60\n')
    command.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.setattr(docker, "REGISTRY_TIMEOUT_SECONDS", 0.05)
    with pytest.raises(DigestUnknown, match=r"no answer within 0\.05 s"):
        Docker("linux/amd64").digest("python:3.13")


def test_a_base_image_that_the_dockerfile_pins_is_not_looked_up(checkout: Checkout) -> None:
    checkout.commit_dockerfile(f"ARG PYTHON_IMAGE={BASE}\nARG VALKEY_IMAGE={STORE}\nFROM debian\n")
    assert f"base image {BASE}\n" in checkout.push().stdout
    assert not checkout.docker_calls("buildx imagetools")


def test_a_dockerfile_without_the_argument_for_the_base_image_is_refused(checkout: Checkout) -> None:
    checkout.commit_dockerfile("FROM debian\n")
    done = checkout.push()
    assert done.returncode == 2
    assert "no line ARG PYTHON_IMAGE=IMAGE was found" in done.stderr
    assert not checkout.docker_calls()


def test_the_dockerfile_of_the_project_names_its_base_images() -> None:
    assert declared_base_images(ROOT / "Dockerfile") == {
        "PYTHON_IMAGE": "python:3.13-slim-bookworm",
        "VALKEY_IMAGE": "valkey/valkey:8-bookworm",
    }


def test_an_existing_tag_is_not_pushed_again(checkout: Checkout) -> None:
    for there in (
        *(f"{image}:{checkout.commit}" for image in ("worker", "predictions")),
        f"redis:{STORE_TAG}",
    ):
        checkout.registry.images[f"paygrade/{there}"] = {}
    done = checkout.push("--json")
    web = f"{checkout.registry.address}/paygrade/web:{checkout.commit}"
    assert json.loads(done.stdout) == {"tag": checkout.commit, "pushed": [web]}
    assert checkout.docker_calls("push") == [f"push {web}"]


def test_uncommitted_changes_need_a_tag_of_their_own(checkout: Checkout) -> None:
    (checkout.folder / "Dockerfile").write_text(f"{checkout.dockerfile}# changed\n")
    done = checkout.push()
    assert done.returncode == 2
    assert "Dockerfile was changed" in done.stderr
    assert not checkout.docker_calls()
    assert checkout.push("--tag", "1.4.0").returncode == 0
    assert [line.rpartition(":")[2] for line in checkout.docker_calls("push")] == [
        *["1.4.0"] * 3,
        STORE_TAG,
    ]


def test_a_failed_build_pushes_nothing(checkout: Checkout) -> None:
    checkout.fails = f"buildx build --platform linux/amd64 {BASES} --target web"
    done = checkout.push()
    assert done.returncode == 1
    message, next_step = done.stderr.splitlines()[-2:]
    assert message.startswith("ecs: docker buildx failed")
    assert "python -m ecs push again" in next_step
    assert not checkout.docker_calls("login")
    assert not checkout.docker_calls("push")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--tag", "not a tag"], "is not a valid image tag"),
        (["--stack", "elsewhere"], "elsewhere has no image repositories elsewhere/worker, "),
    ],
)
def test_an_invalid_request_is_refused_before_the_build(
    checkout: Checkout, options: list[str], message: str
) -> None:
    done = checkout.push(*options)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert not checkout.docker_calls("buildx build")


@pytest.mark.parametrize("is_denied", [False, True], ids=["missing", "unknown to the role of CI"])
def test_a_repository_that_an_older_base_stack_lacks_is_named(checkout: Checkout, is_denied: bool) -> None:
    checkout.registry.repositories.remove("paygrade/predictions")
    if is_denied:
        checkout.registry.denied.add("paygrade/predictions")
    done = checkout.push()
    assert done.returncode == 2
    message, next_step = done.stderr.splitlines()[-2:]
    assert message == "ecs: paygrade has no image repository paygrade/predictions yet"
    assert "run python -m ecs up" in next_step
    assert not checkout.docker_calls("buildx build")


def test_a_missing_engine_is_reported(checkout: Checkout) -> None:
    checkout.fails = "version"
    done = checkout.push()
    assert done.returncode == 2
    assert (
        done.stderr
        == "ecs: docker version: ERROR: no such host\n  next: check that the Docker engine is running\n"
    )


def test_a_missing_dockerfile_is_reported(checkout: Checkout) -> None:
    (checkout.folder / "Dockerfile").unlink()
    done = checkout.push()
    assert done.returncode == 2
    assert done.stderr.startswith("ecs: there is no Dockerfile in the current directory")
