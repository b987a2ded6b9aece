"""paygrade save: a script that fits a pipeline in, a proved bundle out."""

import json
from pathlib import Path

import pytest

from tests.unit.client.conftest import Paygrade

SCRIPT = """
import pandas
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from xgboost import XGBClassifier, XGBRegressor

with open("runs", "a") as runs:
    runs.write(".")
flats = pandas.DataFrame({"area": range(20, 150)})
pipeline = make_pipeline(StandardScaler(), XGBRegressor(n_estimators=3, n_jobs=1))
pipeline.fit(flats, flats.area * 9.5)
large = XGBClassifier(n_estimators=3, n_jobs=1).fit(flats, (flats.area > 80).astype(int))
not_fitted = make_pipeline(StandardScaler(), XGBRegressor())
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.syspath_prepend(tmp_path)
    (tmp_path / "train_of_test.py").write_text(SCRIPT)
    return tmp_path


def save(paygrade: Paygrade, model: str, *more: str, sample: str) -> tuple[int, str, str]:
    given = ("--name", "flats", "--target", "rent", "--sample", sample)
    return paygrade("save", model, "out", *given, *more)


def test_what_a_script_has_fitted_is_saved_and_the_script_runs_once(paygrade: Paygrade, folder: Path) -> None:
    script = "train_of_test.py"
    status, out, _ = save(
        paygrade, f"{script}:pipeline", "--unit", "euros", "--version", "2", sample=f"{script}:flats"
    )
    assert (status, out) == (0, "flats@2 is in out, and scores as the pipeline does\n")
    described = json.loads((folder / "out" / "bundle.json").read_text())
    assert [described[name] for name in ("name", "version", "target", "unit")] == [
        "flats",
        2,
        "rent",
        "euros",
    ]
    assert (folder / "runs").read_text() == "."


def test_a_module_and_a_sample_in_a_file_do_as_well(paygrade: Paygrade, folder: Path) -> None:
    (folder / "flats.csv").write_text("area\n20\n100\n")
    classes = ("--class", "small", "--class", "large")
    status, _, err = save(paygrade, "train_of_test:large", *classes, sample="flats.csv")
    assert (status, err) == (0, "")
    assert json.loads((folder / "out" / "bundle.json").read_text())["classes"] == ["small", "large"]


@pytest.mark.parametrize(
    ("model", "sample", "status", "said"),
    [
        ("train_of_test.py:nix", "train_of_test.py:flats", 2, "train_of_test.py has no variable nix"),
        ("train_of_test.py:pipeline", "no.csv", 2, "No such file"),
        ("train_of_test.py:not_fitted", "train_of_test.py:flats", 1, "not fitted"),
        ("broken.py:pipeline", "broken.py:flats", 1, "broken.py raised ZeroDivisionError"),
        ("no_such_module:pipeline", "x:y", 1, "ModuleNotFoundError"),
    ],
)
def test_what_cannot_be_saved_is_one_line(
    paygrade: Paygrade, folder: Path, model: str, sample: str, status: int, said: str
) -> None:
    (folder / "broken.py").write_text("pipeline = 1 / 0\n")
    got, out, err = save(paygrade, model, sample=sample)
    assert (got, out, err.count("\n")) == (status, "", 1)
    assert said in err
    assert not (folder / "out").exists()
