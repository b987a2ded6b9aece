"""A reader who follows one prediction through the model opens few files."""

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import pytest

import model
from model.bundle import Bundle
from model.cli.options import SHIPPED as BUNDLES
from model.description.catalog import Catalog

ROOT = Path(model.__file__).parent
DESCRIPTION = {f"description/{name}.py" for name in ("catalog", "schema")}
ENGINE = {"engines/xgboost.py"}
FILES = {"bundle.py", "preparation.py", *DESCRIPTION, *ENGINE}
"""A plain number needs no reader."""
TRANSFORMED = {*FILES, "description/values.py", "finishing.py"}


@contextmanager
def files_that_run_functions() -> Iterator[set[str]]:
    """Collect the files of `model` in which a function is called."""
    files: set[str] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        file = Path(frame.f_code.co_filename)
        if event == "call" and file.is_relative_to(ROOT):
            files.add(file.relative_to(ROOT).as_posix())

    sys.setprofile(note)
    try:
        yield files
    finally:
        sys.setprofile(None)


@pytest.mark.parametrize(("name", "expected"), [("salary", FILES), ("wages", TRANSFORMED)])
def test_a_posted_prediction_runs_functions_in_few_files(name: str, expected: set[str]) -> None:
    catalog = Catalog(BUNDLES, name, clock=lambda: 0)
    bundle, row = Bundle.load(catalog.find()), catalog.find().examples[0]
    with files_that_run_functions() as files:
        manifest = catalog.find(f"{name}@1")
        rows = [manifest.schema.check_row(row), *manifest.schema.check_rows([row])]
        matrix = bundle.encode(rows)
        bundle.outputs(matrix)
        bundle.explain(matrix)
        bundle.warnings(matrix * 100)
        assert manifest.ref == f"{name}@1"
        assert manifest.members
        assert manifest.warns
    assert files == expected
