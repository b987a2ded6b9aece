"""The notebook of the tutorial runs from its first cell to its last, and shows what its file says."""

import json
import re
import subprocess
from pathlib import Path

import pytest

from tests.documents import ANYTHING, ROOT, prints_as_documented
from tests.integration.service import PYTHON, clean_environment, free_port, kill_all_of
from tests.integration.test_documents import checkout as checkout  # a fixture
from tests.notebook import code_cells, shown_in

NOTEBOOK = Path("docs/tutorial/notebook.ipynb")
DIGITS = re.compile(r"\d+\.\d{3,}")
"""Of scores, which another version of XGBoost may train otherwise."""


@pytest.mark.timeout(300)
def test_the_notebook_runs_and_shows_what_it_says(checkout: Path, tmp_path: Path) -> None:
    file = checkout / NOTEBOOK
    file.write_text(file.read_text().replace("8000", str(free_port())))
    environment = clean_environment(
        PYTHONPATH=f"{ROOT}:{ROOT / 'client'}",
        PAYGRADE_DATA=str(tmp_path / "data"),
        PAYGRADE_CHILDREN="1",
        PAYGRADE_BATCH_CHILDREN="1",
    )
    try:
        done = subprocess.run(
            [PYTHON, "-m", "tests.notebook", file.name],
            cwd=file.parent,
            env=environment,
            capture_output=True,
            text=True,
            timeout=240,
        )
        log = checkout / "trained" / "notebook" / "run.log"
        assert done.returncode == 0, done.stderr + (log.read_text() if log.exists() else "")
    finally:
        kill_all_of(tmp_path / "data")
    said = [shown_in(cell) for cell in code_cells(json.loads((ROOT / NOTEBOOK).read_text()))]
    for shown, expected in zip(json.loads(done.stdout), said, strict=True):
        assert prints_as_documented(shown.strip(), DIGITS.sub(ANYTHING, expected))


def test_the_notebook_is_valid_and_has_been_run() -> None:
    notebook = json.loads((ROOT / NOTEBOOK).read_text())
    assert (notebook["nbformat"], notebook["nbformat_minor"]) == (4, 5)
    assert len({cell["id"] for cell in notebook["cells"]}) == len(notebook["cells"])
    assert all(cell["execution_count"] for cell in code_cells(notebook))
