"""Every command of the README is run, and prints what the README says; docker's, in tests/containers."""

import re
import shutil
import subprocess
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.integration.service import ROOT, clean_environment
from tests.integration.stack import Stack

README = (ROOT / "README.md").read_text()
SERVES = ("make run",)
"""Runs until it is stopped: test_run.py starts it as the README says."""
ANYTHING = "…"


class Example(NamedTuple):
    command: str
    printed: str


def examples() -> list[Example]:
    """In the order of the README; each command with what it is said to print."""
    found = []
    for block in re.findall(r"```console\n(.*?)```", README, re.DOTALL):
        for part in re.split(r"^\$ ", block, flags=re.MULTILINE)[1:]:
            command, _, printed = part.partition("\n")
            found.append(Example(command, printed.strip()))
    return found


def run(command: str, checkout: Path, folder: Path, address: str) -> str:
    environment = clean_environment(PAYGRADE_DATA=str(folder), PAYGRADE_URL=address)
    done = subprocess.run(
        ["/bin/sh", "-c", command], cwd=checkout, env=environment, capture_output=True, text=True, timeout=60
    )
    return done.stdout.strip()


def says(printed: str, readme: str) -> bool:
    pattern = ".*".join(re.escape(part.strip()) for part in readme.split(ANYTHING))
    return re.fullmatch(pattern, printed, re.DOTALL) is not None


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy to run commands in, for what they leave there; its environment is this one."""
    copy = tmp_path / "checkout"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".git", ".venv", ".*_cache", "trained"))
    (copy / ".venv").symlink_to(ROOT / ".venv")
    return copy


def test_the_readme_says_what_happens(shared: Stack, checkout: Path, tmp_path: Path) -> None:
    last_ids: dict[str, str] = {}
    for command, readme in examples():
        if command in SERVES or command.startswith("docker "):
            continue
        here = command.replace("localhost:8000", shared.address.removeprefix("http://"))
        here = here.replace("redis://localhost:6379/0", shared.redis_url)
        for kind, last_id in last_ids.items():
            here = here.replace(f"{kind}_{ANYTHING}", last_id)
        printed = run(here, checkout, tmp_path, shared.address)
        for _ in range(50):
            if says(printed, readme):
                break
            printed = run(here, checkout, tmp_path, shared.address)
        assert says(printed, readme), f"{command}\nprinted: {printed}\nREADME:  {readme}"
        if match := re.search(r'"id":"((pred|batch)_[^"]+)"', printed):
            last_ids[match[2]] = match[1]


@pytest.mark.parametrize("target", re.findall(r"`make ([\w-]+)", README))
def test_every_target_in_the_readme_is_there(target: str) -> None:
    assert subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True).returncode == 0
