"""Predictions and batches, and web and worker, share what they do alike, instead of saying it twice."""

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

import pytest

from tests.structure.code import ROOT, name_of

ALIKE = 6
"""Lines in a row that make twins."""

KINDS = re.compile(r"(?:new)?(?:predictions?|batch(?:es)?|job)", re.IGNORECASE)
"""The names by which twins may differ."""

SKIPPED = ("#", "--", "import ", "from ", '"""')

SIDES = {
    "jobs": (["jobs/predictions"], ["jobs/batches"]),
    "worker": (
        ["worker/predictions.py", "worker/explanations.py", "worker/bundles.py"],
        ["worker/batches.py", "worker/chunks.py"],
    ),
    "web and worker": (["web"], ["worker"]),
}


def twins(one: str, other: str) -> set[str]:
    """The first of the lines that both have, up to the names of the kinds."""
    return {run[0] for run in _runs(one).keys() & _runs(other).keys()}


def _runs(text: str) -> dict[tuple[str, ...], int]:
    stripped = (line.strip() for line in text.splitlines())
    lines = [KINDS.sub("job", line) for line in stripped if line and not line.startswith(SKIPPED)]
    return {tuple(lines[at : at + ALIKE]): at for at in range(len(lines) - ALIKE + 1)}


def files_of(paths: Iterable[str]) -> Iterator[Path]:
    for path in map(ROOT.joinpath, paths):
        yield from sorted([*path.rglob("*.py"), *path.rglob("*.lua")]) if path.is_dir() else [path]


def test_lines_that_differ_by_the_kind_alone_are_twins() -> None:
    lines = [f"line_{number} = prediction.of({number})" for number in range(ALIKE)]
    other = [line.replace("prediction", "batch") for line in lines]
    assert twins("\n\n".join(lines), "\n".join(other)) == {"line_0 = job.of(0)"}
    assert twins("\n".join(lines[1:]), "\n".join(other)) == set()


@pytest.mark.parametrize("side", SIDES)
def test_what_is_alike_is_said_once(side: str) -> None:
    ones, others = (list(files_of(paths)) for paths in SIDES[side])
    found = {
        f"{name_of(one)}, {name_of(other)}": alike
        for one in ones
        for other in others
        if (alike := twins(one.read_text(), other.read_text()))
    }
    assert not found
