"""The command line of models, called as a shell would."""

import contextlib
import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import NamedTuple

from model.__main__ import main
from model.description.manifest import Manifest


class Run(NamedTuple):
    status: int
    out: str
    err: str


def run(*arguments: str | Path) -> Run:
    out, err = io.StringIO(), io.StringIO()
    with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
        status = main([str(one) for one in arguments])
    return Run(status, out.getvalue(), err.getvalue())


def made(*arguments: str | Path) -> Manifest:
    """The bundle that a command says it has made."""
    ended = run(*arguments)
    assert ended.status == 0, ended.err
    return Manifest.read(Path(ended.out.rpartition(" is in ")[2].partition(" (sha256")[0]))


def refusal(*arguments: str | Path) -> str:
    """The one line in which a command refuses."""
    ended = run(*arguments)
    assert (ended.status, ended.out) == (2, "")
    [line] = ended.err.splitlines()
    return line


def write_csv(file: Path, names: Sequence[str], rows: Iterable[Sequence[object]]) -> Path:
    with file.open("w", newline="", encoding="utf-8") as opened:
        writer = csv.writer(opened)
        writer.writerow(names)
        writer.writerows(rows)
    return file
