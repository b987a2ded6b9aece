"""The second shipped model: every type of feature, an interval, and the command that reproduces it."""

from pathlib import Path

import numpy as np
import xgboost

from model.bundle import Bundle
from model.description.files import REPORT_FILE
from model.description.manifest import Manifest
from model.training.wages import wages_table
from tests.unit.model.command import made
from tests.unit.model.test_salary import contents

SHIPPED = Path("model/bundles/wages/1")
ROW = {
    "education": 16,
    "experience": 8.5,
    "knowledge": None,
    "mothers_education": 12,
    "fathers_education": None,
    "region": "Pacific",
    "city": True,
    "student": False,
    "library_card": None,
}


def test_the_command_reproduces_the_shipped_bundle(tmp_path: Path) -> None:
    again = made("wages", "--output", tmp_path)
    assert again.directory == tmp_path / "wages" / "1"
    shipped = Manifest.read(SHIPPED)
    # Another XGBoost grows other trees, but the same ones in every run.
    same = xgboost.__version__ == shipped.xgboost
    like = SHIPPED if same else made("wages", "--output", tmp_path / "second").directory
    assert contents(again.directory) == contents(like)
    assert b"5 folds" in (again.directory / REPORT_FILE).read_bytes()
    assert again.golden.rows == shipped.golden.rows
    assert np.allclose(again.golden.predictions, shipped.golden.predictions, rtol=0.2)


def test_it_predicts_a_wage_with_an_interval_and_an_explanation() -> None:
    bundle = Bundle.load(Manifest.read(SHIPPED))
    matrix = bundle.encode(bundle.manifest.schema.check_rows([ROW, {**ROW, "education": 8}]))
    outputs, explanation = bundle.outputs(matrix), bundle.explain(matrix)
    assert outputs.interval is not None
    assert (outputs.interval[:, 0] < outputs.prediction).all()
    assert (outputs.prediction < outputs.interval[:, 1]).all()
    assert outputs.prediction[0] > outputs.prediction[1]
    education = bundle.manifest.schema.names.index("education")
    assert explanation.contributions[0, education] > explanation.contributions[1, education]


def test_it_does_not_use_race_sex_or_marriage() -> None:
    names = set(wages_table().columns.column_names)
    assert names == {*Manifest.read(SHIPPED).schema.names, "wage"}
    assert not names & {"black", "race", "sex", "female", "married"}


def test_it_is_better_than_a_constant_and_its_interval_covers_its_share() -> None:
    metrics = Manifest.read(SHIPPED).metrics
    assert (
        metrics["model"]["mean_absolute_error"]["mean"] < metrics["constant"]["mean_absolute_error"]["mean"]
    )
    assert 0.85 < metrics["model"]["interval_coverage"]["mean"] < 0.95
