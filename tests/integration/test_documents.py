"""Every command in the documents runs and prints what the document shows; docker: see tests/containers."""

import os
import re
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from tests.documents import (
    ANYTHING,
    DOCUMENTS,
    ECS_GUIDE,
    Example,
    examples,
    first_cells,
    name_of,
    prints_as_documented,
)
from tests.integration.service import (
    ROOT,
    Service,
    clean_environment,
    free_port,
    kill_all_of,
    wait_until,
)
from tests.integration.stack import Stack


class Elsewhere(NamedTuple):
    """The file whose tests run a command instead, and the text in it that shows so."""

    file: str
    text: str


ELSEWHERE = {
    "python3 -m pip download -q -r requirements/run.txt -d wheels": Elsewhere(
        "tests/integration/test_make.py", '"download"'
    ),
    "make test": Elsewhere(".ci/run", "make test"),
    "make test-all": Elsewhere(".ci/run", "make test"),
    "make lint": Elsewhere(".ci/run", "make lint"),
    "make bench": Elsewhere("Makefile", "bench:"),
    ".venv/bin/schemathesis run http://127.0.0.1:8000/openapi.json": Elsewhere(
        "tests/integration/test_openapi.py", '"schemathesis"'
    ),
    ".venv/bin/pip wheel --no-deps -w wheels .": Elsewhere("tests/integration/test_wheel.py", '"wheel"'),
    "scoring/bin/pip install --no-deps -r requirements/worker.txt": Elsewhere(
        "Dockerfile", "requirements/worker.txt"
    ),
    "scoring/bin/pip install --no-deps wheels/paygrade_service-*.whl": Elsewhere(
        "tests/integration/test_wheel.py", '"install"'
    ),
    ".venv/bin/pre-commit install": Elsewhere(".pre-commit-config.yaml", "repos:"),
}
"""Commands that no test of a document can run: they run the tests, or change the reader's own repository."""

ABSENT = () if shutil.which("Rscript") or os.environ.get("CI") else ("Rscript ",)
"""Commands of programs that a machine need not have. CI has them."""

TARGETS = {
    target
    for one in DOCUMENTS
    for target in re.findall(r"(?:`|^\$ )make ([a-z-]+)", one.read_text(), re.MULTILINE)
}

SETTLES_SECONDS = 40
"""A deadline for a command to print what its document says: a job may still be running at first."""

HELP = {
    "paygrade": [".venv/bin/paygrade"],
    "python -m ops": [".venv/bin/python", "-m", "ops"],
    "python -m model": [".venv/bin/python", "-m", "model"],
    "python -m ecs": [".venv/bin/python", "-m", "ecs"],
    "python -m web": [".venv/bin/python", "-m", "web"],
    "python -m worker": [".venv/bin/python", "-m", "worker"],
    "python -m benchmarks": [".venv/bin/python", "-m", "benchmarks"],
}


def runnable(document: Path) -> list[Example]:
    """The examples that run here: not those of containers, of Amazon ECS, or of the table above."""
    if document == ECS_GUIDE:
        return []
    return [
        example
        for example in examples(document.read_text())
        if example.command not in ELSEWHERE and not example.command.startswith(("docker ", *ABSENT))
    ]


class Reader:
    """Follows a document as a reader would, at a shell in a checkout of their own.

    Paygrade is what the document's own `make run` starts, or, before that, a stack that is up already.
    """

    def __init__(self, checkout: Path, data: Path, stack: Stack) -> None:
        self._checkout = checkout
        self._data = data
        self._stack = stack
        self._address = stack.address
        self._running: Service | None = None
        self._ids: dict[str, str] = {}

    def follow(self, example: Example) -> None:
        if example.file:
            (self._checkout / example.file).write_text(example.command)
            return
        if match := re.fullmatch(r"((?:\w+=\S+ )*)make run((?: \w+=\S+)*)", example.command):
            settings = dict(pair.split("=", 1) for pair in match[1].split())
            self._make_run(settings, match[2].split(), example.printed)
            return
        until = time.monotonic() + SETTLES_SECONDS
        while not prints_as_documented(printed := self._run(example), example.printed):
            assert time.monotonic() < until, (
                f"{example.command}\nprinted:   {printed}\ndocument:  {example.printed}"
            )
            time.sleep(0.2)
        if match := re.search(r"\b((pred|batch)_[0-9a-f-]{36})\b", printed):
            self._ids[match[2]] = match[1]

    def stop(self) -> None:
        if self._running:
            self._running.kill_group()
            kill_all_of(self._data)

    def _make_run(self, settings: dict[str, str], variables: list[str], printed: str) -> None:
        """What `make run` runs once everything is installed, as `make` says."""
        if self._running:  # Ctrl-C, as the document says
            self._running.send(signal.SIGINT)
            self._running.ended()
        if folder := settings.pop("PAYGRADE_DATA", ""):
            self._data = self._checkout / folder
        port = free_port()
        said = subprocess.run(
            ["make", "--no-print-directory", "-n", "run", f"PORT={port}", *variables],
            cwd=self._checkout,
            capture_output=True,
            text=True,
        )
        command = said.stdout.splitlines()[-1].lstrip("@")
        environment = self._environment(PAYGRADE_CHILDREN="1", PAYGRADE_BATCH_CHILDREN="1", **settings)
        shell = ["/bin/sh", "-c", f"cd {self._checkout} && {command}"]
        running = self._running = Service(shell, self._data / f"run-{port}.log", environment)
        wait_until("Paygrade is up", lambda: "Paygrade is up" in running.says() or not running.alive)
        assert running.alive, running.says()
        self._address = f"http://127.0.0.1:{port}"
        for line in filter(None, printed.splitlines()):
            assert self._translated(line.strip()) in running.says()

    def _run(self, example: Example) -> str:
        if example.python:
            command, given = ".venv/bin/python -", example.command
        else:
            command, given = self._translated(example.command), ""
        done = subprocess.run(
            ["/bin/sh", "-c", command],
            cwd=self._checkout,
            env=self._environment(PAYGRADE_URL=self._address),
            input=given,
            capture_output=True,
            text=True,
            timeout=100,
        )
        assert not (example.python and done.returncode), done.stderr
        return done.stdout.strip()

    def _translated(self, text: str) -> str:
        """With the addresses of here, and the ids of the jobs that earlier commands made."""
        text = re.sub(r"(localhost|127\.0\.0\.1):8000", self._address.removeprefix("http://"), text)
        text = text.replace("redis://localhost:6379/0", self._stack.redis_url)
        for kind, last in self._ids.items():
            text = text.replace(f"{kind}_{ANYTHING}", last)
        return text

    def _environment(self, **settings: str) -> dict[str, str]:
        return clean_environment(PAYGRADE_DATA=str(self._data), **settings)


@pytest.fixture
def checkout(tmp_path: Path) -> Path:
    """A copy to run commands in, for what they leave there; its environment is the one of this checkout."""
    copy = tmp_path / "checkout"
    shutil.copytree(ROOT, copy, ignore=shutil.ignore_patterns(".git", ".venv", ".*_cache", "trained"))
    (copy / ".venv").mkdir()  # make refuses one that is a link
    for part in (ROOT / ".venv").iterdir():
        (copy / ".venv" / part.name).symlink_to(part)
    return copy


@pytest.fixture
def reader(checkout: Path, tmp_path: Path, shared: Stack) -> Iterator[Reader]:
    data = tmp_path / "data"
    data.mkdir()
    reader = Reader(checkout, data, shared)
    yield reader
    reader.stop()


@pytest.mark.timeout(600)
@pytest.mark.parametrize("document", [one for one in DOCUMENTS if runnable(one)], ids=name_of)
def test_commands_print_what_the_document_shows(document: Path, reader: Reader) -> None:
    for example in runnable(document):
        reader.follow(example)


@pytest.mark.skipif(bool(ABSENT), reason="needs Rscript of Debian's r-base-core; CI has it")
def test_what_a_machine_need_not_have_is_here() -> None:
    assert shutil.which("Rscript")


@pytest.mark.parametrize("command", ELSEWHERE)
def test_what_is_not_run_here_is_run_elsewhere(command: str) -> None:
    file, text = ELSEWHERE[command]
    assert text in (ROOT / file).read_text()


@pytest.mark.parametrize("target", sorted(TARGETS))
def test_every_target_of_make_that_is_named_is_there(target: str) -> None:
    assert subprocess.run(["make", "-n", target], cwd=ROOT, capture_output=True).returncode == 0


@pytest.mark.timeout(600)
@pytest.mark.parametrize("program", HELP)
def test_every_command_is_in_the_reference(program: str) -> None:
    page = ROOT / "docs" / "reference" / "commands.md"
    documented = {cell for cell in first_cells(page) if cell.startswith(program)}
    assert documented == set(commands_of(program, HELP[program]))


def commands_of(name: str, command: list[str]) -> Iterator[str]:
    """The program's commands, as its --help lists them; the program itself if it has none."""
    said = subprocess.run([*command, "--help"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    found = re.findall(r"^    ([a-z]+)(?: |$)", said.partition("options:")[0], re.MULTILINE)
    if not found:
        yield name
    for each in found:
        yield from commands_of(f"{name} {each}", [*command, each])
