"""The service reads what `save` writes."""

import json
from pathlib import Path

import numpy as np
import pandas as pd
import paygrade
import pytest
from sklearn.compose import ColumnTransformer
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import LabelEncoder, OneHotEncoder
from xgboost import XGBClassifier, XGBRegressor

from model.description.manifest import Manifest
from tests.unit.client.saving.pipelines import frame, target

TABLE = frame(1, 300)
SIZE = target(TABLE, 1)


def columns() -> ColumnTransformer:
    encoder = OneHotEncoder(handle_unknown="ignore")
    return ColumnTransformer([("city", encoder, ["city"])], remainder="drop", sparse_threshold=1)


@pytest.fixture(scope="module")
def pipeline() -> Pipeline:
    return Pipeline([("city", columns()), ("model", XGBRegressor(n_estimators=5))]).fit(TABLE, SIZE)


def test_a_bundle_is_read_with_its_golden_scores(pipeline: Pipeline, tmp_path: Path) -> None:
    written = paygrade.save(
        pipeline,
        tmp_path / "sizes",
        name="sizes",
        sample=TABLE,
        target="size",
        unit="cm",
        version=3,
        metrics={"mae": 2.5},
    )
    manifest = Manifest.read(written)
    assert (manifest.ref, manifest.target, manifest.unit) == ("sizes@3", "size", "cm")
    assert manifest.metrics == {"mae": 2.5}
    assert manifest.proof == {"kind": "scores", "rows": 300}
    assert manifest.scores == "float32"
    assert manifest.steps
    assert manifest.trees == 5
    cities = pd.DataFrame(manifest.examples)
    scores = np.array(manifest.golden.predictions, dtype=np.float32)
    assert np.array_equal(pipeline.predict(cities.reindex(columns=TABLE.columns)), scores)


def test_a_bundle_is_replaced_by_the_next_one(pipeline: Pipeline, tmp_path: Path) -> None:
    for unit in ("cm", "mm"):
        paygrade.save(pipeline, tmp_path / "sizes", name="sizes", sample=TABLE, target="size", unit=unit)
    assert Manifest.read(tmp_path / "sizes").unit == "mm"
    assert [file.name for file in tmp_path.iterdir()] == ["sizes"]


def test_a_directory_with_other_files_is_left_alone(pipeline: Pipeline, tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    with pytest.raises(paygrade.SaveRefused, match="holds something else than a bundle"):
        paygrade.save(pipeline, tmp_path, name="sizes", sample=TABLE, target="size")
    assert [file.name for file in tmp_path.iterdir()] == ["thesis.txt"]


def test_a_label_encoder_names_the_classes(tmp_path: Path) -> None:
    labels = LabelEncoder().fit(["small", "medium", "large"])
    classes = pd.qcut(SIZE, 3, labels=False)
    model = Pipeline([("city", columns()), ("model", XGBClassifier(n_estimators=3))]).fit(TABLE, classes)
    paygrade.save(model, tmp_path / "b", name="sizes", sample=TABLE, target="size", classes=labels)
    manifest = Manifest.read(tmp_path / "b")
    assert list(manifest.classes) == ["large", "medium", "small"]
    assert manifest.members == {"prediction": 1, "label": 1, "probabilities": 3}


def test_text_outside_ascii_is_kept(pipeline: Pipeline, tmp_path: Path) -> None:
    paygrade.save(pipeline, tmp_path / "b", name="sizes", sample=TABLE, target="Größe")
    text = (tmp_path / "b" / "bundle.json").read_text(encoding="utf-8")
    assert '"target": "Größe"' in text
    assert "Köln" in json.loads(text)["features"][0]["categories"]


def test_quantiles_are_those_of_the_model(tmp_path: Path) -> None:
    model = XGBRegressor(n_estimators=3, objective="reg:quantileerror", quantile_alpha=[0.1, 0.5, 0.9])
    numbers = TABLE[["x", "p"]]
    paygrade.save(model.fit(numbers, SIZE), tmp_path / "b", name="sizes", sample=numbers, target="size")
    assert list(Manifest.read(tmp_path / "b").quantiles) == [0.1, 0.5, 0.9]


def test_a_model_without_steps_is_a_bundle_without_steps(tmp_path: Path) -> None:
    numbers = TABLE[["x", "p", "code"]].fillna(-999)
    model = XGBRegressor(n_estimators=3, missing=-999).fit(numbers, SIZE)
    paygrade.save(model, tmp_path / "b", name="sizes", sample=numbers, target="size")
    manifest = Manifest.read(tmp_path / "b")
    assert manifest.steps is None
    assert manifest.missing == -999
    assert {feature.dtype for feature in manifest.schema.features} == {""}
