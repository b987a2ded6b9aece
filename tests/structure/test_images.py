"""What runs in a task of ECS is in its image: .dockerignore leaves out what no service imports."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

import pytest

from ecs.update import SELF_CHECK
from tests.structure.code import ROOT

_RUN = re.compile(r"ecs run (?:--service (\w+) )?-- python -m ([\w.]+)")
_COPY = re.compile(r"^COPY (?!--)(.+) \S+$", re.MULTILINE)


class TaskCommand(NamedTuple):
    service: str
    module: str


def documented() -> Iterator[TaskCommand]:
    """The commands that the help and the documents run in a task."""
    for path in (*ROOT.glob("ecs/**/*.py"), *ROOT.glob("docs/**/*.md"), ROOT / "README.md"):
        for service, module in _RUN.findall(path.read_text()):
            yield TaskCommand(service or "worker", module)


def is_in_image(service: str, module: str) -> bool:
    """Whether `python -m MODULE` finds its file there."""
    path = module.replace(".", "/")
    return any(is_copied(service, file) for file in (f"{path}.py", f"{path}/__main__.py"))


def is_copied(service: str, file: str) -> bool:
    stage = (ROOT / "Dockerfile").read_text().partition(f" AS {service}-source\n")[2].partition("\nFROM ")[0]
    sources = [source for copied in _COPY.findall(stage) for source in copied.split()]
    return (ROOT / file).is_file() and any(is_at(file, source) for source in sources) and not is_ignored(file)


def is_ignored(file: str) -> bool:
    """By the last pattern of .dockerignore that matches."""
    ignored = False
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if line and not line.startswith("#") and is_at(file, line.removeprefix("!")):
            ignored = not line.startswith("!")
    return ignored


def is_at(file: str, pattern: str) -> bool:
    """Whether the pattern names the file or a folder above it."""
    if pattern.startswith("**/"):
        return pattern.removeprefix("**/") in Path(file).parts
    return pattern in ("*", file) or file.startswith(f"{pattern}/")


COMMANDS = sorted({*documented(), TaskCommand("worker", SELF_CHECK)})


@pytest.mark.parametrize(("service", "module"), COMMANDS)
def test_a_module_that_is_run_in_a_task_is_in_its_image(service: str, module: str) -> None:
    assert is_in_image(service, module)


def test_a_module_that_the_images_leave_out_is_noticed() -> None:
    assert not is_in_image("worker", "model")
    assert not is_in_image("web", "worker")
    assert is_in_image("worker", "worker")
