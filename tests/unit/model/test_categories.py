"""The names of categories are right, whatever the version of XGBoost that saved them does."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import xgboost

from model.bundle import Bundle
from model.description.manifest import Manifest
from model.versions import parse
from tests.data.boosters.make import SCORED, TOWNS
from tests.unit.model.command import made, refusal
from tests.unit.model.test_older_versions import INSTALLED, SavedModel, archive, saved_models

CUTS_NAMES = INSTALLED < (3, 4)
TOWN_MODELS = [model for model in saved_models() if model.kind == "towns" and not model.newer]
KNOWS_NAMES = [model for model in TOWN_MODELS if parse(model.version) >= (3, 1)]


def arguments(folder: Path, file: Path, city: list[str] | None = None) -> list[str | Path]:
    given: list[str | Path] = ["--schema", folder / "schema.json"] if city else []
    (folder / "schema.json").write_text(json.dumps([{"name": "city", "categories": city}]))
    return ["import", file, "--name", "m", "--output", folder / "out", *given]


def categories(manifest: Manifest) -> list[str]:
    return list(manifest.schema.features[0].categories)


@pytest.mark.parametrize("model", TOWN_MODELS, ids=lambda model: model.version)
def test_given_names_score_as_the_data_frame_did(tmp_path: Path, model: SavedModel) -> None:
    manifest = made(*arguments(tmp_path, model.write(tmp_path), TOWNS))
    rows = [{"city": TOWNS[int(row[1]) % len(TOWNS)], "a": float(row[0])} for row in SCORED]
    assert categories(manifest) == TOWNS
    assert np.array_equal(Bundle.load(manifest).predict(manifest.schema.check_rows(rows)), model.scores)


@pytest.mark.parametrize("model", KNOWS_NAMES, ids=lambda model: model.version)
def test_names_that_xgboost_cut_are_asked_for(tmp_path: Path, model: SavedModel) -> None:
    file = model.write(tmp_path)
    if parse(model.version) >= (3, 4):
        assert categories(made(*arguments(tmp_path, file))) == TOWNS
        return
    error = refusal(*arguments(tmp_path, file))
    assert "XGBoost cut the names of the categories of 'city'; give them in the model's order" in error
    assert '"categories": ["Köln", "Bonn", "Łód…", "…"]' in error


@pytest.mark.parametrize("model", KNOWS_NAMES, ids=lambda model: model.version)
@pytest.mark.parametrize(
    "names", [["Bonn", "Köln", "Łódź", "Ulm"], TOWNS[:3], ["Köln", "Bonn", "Łódzz", "Ulm"], [*TOWNS, "Trier"]]
)
def test_names_that_cannot_be_those_of_the_model_are_refused(
    tmp_path: Path, model: SavedModel, names: list[str]
) -> None:
    error = refusal(*arguments(tmp_path, model.write(tmp_path), names))
    assert "the categories of 'city' do not fit those of the model, which are, in its order: Köln, " in error


def test_a_model_that_a_newer_xgboost_saved_again_has_its_cut_names_told(tmp_path: Path) -> None:
    booster = xgboost.Booster(model_file=bytearray(archive("3.2.0")["towns.ubj"]))
    booster.save_model(tmp_path / "again.json")
    error = refusal(*arguments(tmp_path, tmp_path / "again.json"))
    assert "XGBoost cut the names of the categories of 'city'" in error


@pytest.mark.parametrize("names", [["Köln", "Bonn"], ["é", "b"], ["b", "日本語", "a"], ["Ulm", "Trier"]])
def test_names_are_right_or_asked_for(tmp_path: Path, names: list[str]) -> None:
    text = pd.Categorical([names[row % len(names)] for row in range(60)], categories=names)
    table = pd.DataFrame({"city": text, "a": np.arange(60.0)})
    model = xgboost.XGBRegressor(n_estimators=3, enable_categorical=True, n_jobs=1).fit(table, np.arange(60))
    model.save_model(tmp_path / "m.ubj")
    given = None
    if CUTS_NAMES and not "".join(names).isascii():
        assert "XGBoost cut the names" in refusal(*arguments(tmp_path, tmp_path / "m.ubj"))
        given = names
    assert categories(made(*arguments(tmp_path, tmp_path / "m.ubj", given))) == names
