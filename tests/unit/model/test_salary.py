"""The shipped default model, and the command that reproduces it."""

import subprocess
import sys
from pathlib import Path

import pytest
import xgboost

from model.__main__ import main
from model.bundle import Bundle
from model.cli.options import SHIPPED as BUNDLES
from model.description.files import REPORT_FILE
from model.description.manifest import Manifest
from model.publish import shortest

SHIPPED = BUNDLES / "salary" / "1"


def contents(directory: Path) -> dict[str, bytes]:
    """Without the report, which names the packages that it was made with."""
    return {file.name: file.read_bytes() for file in directory.iterdir() if file.name != REPORT_FILE}


def test_the_shipped_model_gives_the_published_figures() -> None:
    bundle = Bundle.load(Manifest.read(SHIPPED))
    rows = bundle.manifest.schema.check_rows([{"years": "2.5"}, {"years": 4.5}, {"years": 12.5}])
    assert shortest(bundle.predict(rows)) == [260.00012, 374.99866, 749.99884]


def test_the_command_reproduces_the_shipped_bundle(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shipped = Manifest.read(SHIPPED)
    assert main(["salary", "--output", str(tmp_path)]) == 0
    made = Manifest.read(tmp_path / "salary" / "1")
    assert b"the model was trained on this table" in (made.directory / REPORT_FILE).read_bytes()
    assert made.golden == shipped.golden
    assert made.sha256 in capsys.readouterr().out
    if xgboost.__version__ == shipped.xgboost:  # another XGBoost writes other bytes
        assert contents(made.directory) == contents(SHIPPED)


def test_publishing_the_same_bundle_again_changes_nothing(tmp_path: Path) -> None:
    assert main(["salary", "--output", str(tmp_path)]) == 0
    before = contents(tmp_path / "salary" / "1")
    assert main(["salary", "--output", str(tmp_path)]) == 0
    assert contents(tmp_path / "salary" / "1") == before
    assert [entry.name for entry in (tmp_path / "salary").iterdir()] == ["1"]


def test_a_published_version_is_never_overwritten(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    main(["salary", "--output", str(tmp_path)])
    (tmp_path / "salary" / "1" / "model.ubj").write_bytes(b"other")
    capsys.readouterr()
    assert main(["salary", "--output", str(tmp_path)]) == 2
    message = capsys.readouterr().err
    assert "a published version never changes" in message
    assert message.count("\n") == 1
    assert (tmp_path / "salary" / "1" / "model.ubj").read_bytes() == b"other"


def test_a_directory_that_cannot_be_written_is_reported_in_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").touch()
    assert main(["salary", "--output", str(tmp_path / "file")]) == 2
    assert capsys.readouterr().err.count("\n") == 1


@pytest.mark.process
def test_help_shows_an_example() -> None:
    result = subprocess.run(
        [sys.executable, "-m", "model", "--help"], capture_output=True, text=True, check=True
    )
    assert "python -m model salary\n" in result.stdout
