"""Runs commands of `python -m model` in this process."""

import contextlib
import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from model.__main__ import main
from model.description.manifest import Manifest


class CommandResult(NamedTuple):
    status: int
    out: str
    err: str


def run(*arguments: str | Path) -> CommandResult:
    """Run a command."""
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main([str(argument) for argument in arguments])
    return CommandResult(status, out.getvalue(), err.getvalue())


def made(*arguments: str | Path) -> Manifest:
    """Run a command that makes a bundle; returns the bundle."""
    result = run(*arguments)
    assert result.status == 0, result.err
    return Manifest.read(Path(result.out.rpartition(" is in ")[2].partition(" (sha256")[0]))


def refusal(*arguments: str | Path) -> str:
    """Run a command that fails; returns the one line of its error."""
    result = run(*arguments)
    assert (result.status, result.out) == (2, "")
    [line] = result.err.splitlines()
    return line


def write_csv(file: Path, names: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
    with file.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.writer(opened)
        writer.writerow(names)
        writer.writerows(rows)
    return file
