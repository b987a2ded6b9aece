"""Every objective gets the scores and the explanations of XGBoost, on real tables."""

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost

from model.bundle import Bundle
from model.description.errors import BundleError
from model.publish import publish
from model.versions import parse
from tests.unit.model.conftest import Describe
from tests.unit.model.objectives import (
    CANCER,
    DIABETES,
    MODELS,
    QUANTILES,
    ROUNDS,
    WINE,
    Floats,
    Table,
    train,
)


@pytest.fixture(scope="module", params=MODELS)
def served(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, describe: Describe
) -> Any:
    data, booster = train(request.param)
    description = describe(features=data.features, trees=ROUNDS)
    folder = tmp_path_factory.mktemp("served")
    bundle = Bundle.load(publish(folder, booster, description, data.rows[:5]))
    return data, booster, bundle


def test_scores_equal_those_of_xgboost_bit_for_bit(served: Any) -> None:
    data, booster, bundle = served
    scores = bundle.predict(bundle.manifest.schema.check_rows(data.rows))
    assert scores.dtype == np.float32
    assert np.array_equal(scores, booster.predict(data.matrix()))
    assert len(np.unique(scores)) > 1


def test_contributions_and_base_sum_to_the_margin(served: Any) -> None:
    data, booster, bundle = served
    margins = booster.predict(data.matrix(), output_margin=True).astype(np.float64)
    if margins.ndim > 1:
        which = 1 if bundle.manifest.quantiles else bundle.outputs(data.values).prediction
        margins = margins[np.arange(len(margins)), which]
    explained = bundle.explain(data.values)
    assert explained.contributions.shape == data.values.shape
    sums = explained.contributions.sum(axis=1, dtype=np.float64) + explained.base
    assert np.abs(sums - margins).max() < 1e-4


def test_contributions_equal_those_of_xgboost(tmp_path: Path, describe: Describe) -> None:
    data, booster = train("reg:squarederror")
    bundle = Bundle.load(
        publish(tmp_path, booster, describe(features=data.features, trees=ROUNDS), data.rows[:1])
    )
    direct = booster.predict(data.matrix(), pred_contribs=True)
    explained = bundle.explain(data.values)
    assert np.array_equal(explained.contributions, direct[:, :-1])
    assert np.allclose(explained.base, direct[:, -1], atol=1e-3)


def test_the_contribution_of_a_category_is_that_of_the_row(tmp_path: Path, describe: Describe) -> None:
    cities, rooms = ["Basel", "Bern", "Chur"], np.tile(np.arange(1, 9), 12)
    codes = np.repeat(np.arange(3), 32)
    values = np.stack([codes, rooms], axis=1).astype(np.float32)
    more = {"feature_names": ["city", "rooms"], "feature_types": ["c", "q"], "enable_categorical": True}
    matrix = xgboost.DMatrix(values, codes**2 * 100 + rooms, nthread=1, **more)
    booster = xgboost.train({"nthread": 1}, matrix, ROUNDS)
    city = {"name": "city", "type": "category", "categories": cities, "nullable": True}
    features = [city, {"name": "rooms", "type": "integer"}]
    rows = [{"city": city, "rooms": 3} for city in (*cities, None)]
    bundle = Bundle.load(publish(tmp_path, booster, describe(features=features, trees=ROUNDS), rows))
    encoded = bundle.encode(bundle.manifest.schema.check_rows(rows))
    direct = booster.predict(xgboost.DMatrix(encoded, nthread=1, **more), pred_contribs=True)
    of_city = bundle.explain(encoded).contributions[:, 0]
    assert np.array_equal(of_city, direct[:, 0])
    assert of_city[0] < of_city[1] < of_city[2]


def load(tmp_path: Path, describe: Describe, name: str, **changes: object) -> tuple[Table, Bundle, Floats]:
    """Return a table, the bundle of a model trained on it, and XGBoost's own scores."""
    data, booster = train(name)
    description = describe(features=data.features, trees=ROUNDS, **changes)
    manifest = publish(tmp_path, booster, description, data.rows[:5])
    return data, Bundle.load(manifest), booster.predict(data.matrix())


def test_a_binary_classifier_gives_a_class_and_a_probability(tmp_path: Path, describe: Describe) -> None:
    data, bundle, expected = load(tmp_path, describe, "binary:logistic", classes=["malignant", "benign"])
    outputs = bundle.outputs(data.values)
    assert outputs.probability is not None
    assert np.array_equal(outputs.probability, expected)
    assert np.array_equal(outputs.prediction, expected > 0.5)
    assert outputs.labels == [["malignant", "benign"][int(one > 0.5)] for one in expected]


def test_a_multi_class_model_gives_a_label_and_all_probabilities(tmp_path: Path, describe: Describe) -> None:
    data, bundle, expected = load(tmp_path, describe, "multi:softprob", classes=["a", "b", "c"])
    outputs = bundle.outputs(data.values)
    assert outputs.probabilities is not None
    assert np.array_equal(outputs.probabilities, expected)
    assert np.array_equal(outputs.prediction, expected.argmax(axis=1))
    assert outputs.labels == ["abc"[number] for number in expected.argmax(axis=1)]


def test_a_softmax_model_gives_probabilities_too(tmp_path: Path, describe: Describe) -> None:
    matrix = WINE.matrix(label=WINE.target)
    softmax, softprob = (
        xgboost.train({"objective": name, "num_class": 3, "nthread": 1}, matrix, ROUNDS)
        for name in ("multi:softmax", "multi:softprob")
    )
    description = describe(features=WINE.features, trees=ROUNDS)
    bundle = Bundle.load(publish(tmp_path, softmax, description, WINE.rows[:3]))
    outputs = bundle.outputs(WINE.values)
    assert bundle.manifest.objective == "multi:softmax"
    assert outputs.probabilities is not None
    assert np.array_equal(outputs.probabilities, softprob.predict(matrix))
    assert np.array_equal(outputs.prediction, softmax.predict(matrix))
    assert outputs.classes == ["0", "1", "2"]


def test_quantiles_give_the_median_and_an_interval(tmp_path: Path, describe: Describe) -> None:
    data, bundle, expected = load(tmp_path, describe, "three quantiles")
    outputs = bundle.outputs(data.values)
    assert outputs.interval is not None
    assert bundle.manifest.quantiles == QUANTILES
    assert np.array_equal(outputs.prediction, expected[:, 1])
    assert np.array_equal(outputs.interval[:, 0], expected.min(axis=1))
    assert np.array_equal(outputs.interval[:, 1], expected.max(axis=1))


@pytest.mark.parametrize(("transform", "inverse"), [("log", np.exp), ("log1p", np.expm1)])
def test_a_transformed_target_is_predicted_in_its_own_unit(
    tmp_path: Path, describe: Describe, transform: str, inverse: Any
) -> None:
    matrix = DIABETES.matrix(label=np.log(DIABETES.target))
    booster = xgboost.train({"nthread": 1}, matrix, ROUNDS)
    description = describe(features=DIABETES.features, trees=ROUNDS, transform=transform)
    bundle = Bundle.load(publish(tmp_path, booster, description, DIABETES.rows[:3]))
    margins = booster.predict(matrix)
    assert np.array_equal(bundle.score(DIABETES.values), inverse(margins.astype(float)).astype(np.float32))
    explained = bundle.explain(DIABETES.values)
    assert np.allclose(explained.contributions.sum(axis=1) + explained.base, margins, atol=1e-4)


def exposures() -> tuple[Table, list[dict[str, Any]], Floats]:
    """Return a table, its rows with an exposure added, and the logarithms that are the exposure."""
    margin = np.log(np.arange(1, len(DIABETES.target) + 1)).astype(np.float32)
    rows = [{**row, "exposure": float(one)} for row, one in zip(DIABETES.rows, margin, strict=True)]
    return DIABETES, rows, margin


def test_the_sum_of_the_trees_starts_from_the_base_margin(tmp_path: Path, describe: Describe) -> None:
    data, rows, margin = exposures()
    matrix = data.matrix(label=data.target, base_margin=margin)
    booster = xgboost.train({"objective": "count:poisson", "nthread": 1}, matrix, ROUNDS)
    exposure = {"name": "exposure", "type": "number", "base_margin": True}
    features = [*data.features[:2], exposure, *data.features[2:]]
    bundle = Bundle.load(publish(tmp_path, booster, describe(features=features, trees=ROUNDS), rows[:4]))
    encoded = bundle.encode(bundle.manifest.schema.check_rows(rows))
    assert np.array_equal(bundle.score(encoded), booster.predict(matrix))
    explained = bundle.explain(encoded)
    assert np.array_equal(explained.contributions[:, 2], margin)
    sums = explained.contributions.sum(axis=1, dtype=np.float64) + explained.base
    assert np.abs(sums - booster.predict(matrix, output_margin=True)).max() < 1e-4


def test_trees_with_several_numbers_in_a_leaf_are_served_and_explained_if_xgboost_can(
    tmp_path: Path, describe: Describe
) -> None:
    more = {"objective": "multi:softprob", "num_class": 3, "multi_strategy": "multi_output_tree"}
    booster = xgboost.train({"nthread": 1, **more}, WINE.matrix(label=WINE.target), ROUNDS)
    manifest = publish(tmp_path, booster, describe(features=WINE.features, trees=ROUNDS), WINE.rows[:3])
    bundle, margins = Bundle.load(manifest), booster.predict(WINE.matrix(), output_margin=True)
    assert np.array_equal(bundle.score(WINE.values), booster.predict(WINE.matrix()))
    assert manifest.explained == (parse(xgboost.__version__) >= (3, 3))
    if manifest.explained:
        explained = bundle.explain(WINE.values)
        sums = explained.contributions.sum(axis=1, dtype=np.float64) + explained.base
        assert np.abs(sums - margins.max(axis=1)).max() < 1e-4
    else:
        assert manifest.unexplained == "its trees have several numbers in a leaf"


def targets_of(data: Table) -> Floats:
    first = data.target.astype(np.float32)
    return np.stack([first, data.values[:, 2] * 10 + first / 50, first % 7], axis=1)


@pytest.mark.parametrize("strategy", ["one_output_per_tree", "multi_output_tree"])
def test_several_targets_have_a_score_for_each_name(
    tmp_path: Path, describe: Describe, strategy: str
) -> None:
    labels = np.nan_to_num(targets_of(DIABETES))
    more = {"multi_strategy": strategy, "tree_method": "hist"}
    booster = xgboost.train({"nthread": 1, **more}, DIABETES.matrix(label=labels), ROUNDS)
    names = ["progress", "mass", "week"]
    description = describe(features=DIABETES.features, trees=ROUNDS, targets=names)
    manifest = publish(tmp_path, booster, description, DIABETES.rows[:5])
    outputs = Bundle.load(manifest).outputs(DIABETES.values)
    assert np.array_equal(outputs.prediction, booster.predict(DIABETES.matrix()))
    assert outputs.targets == names
    assert manifest.members == {"prediction": 3}
    assert manifest.columns[False] == ("prediction_progress", "prediction_mass", "prediction_week")
    assert manifest.unexplained == "it predicts several targets"


def test_several_questions_have_an_answer_and_a_probability_each(tmp_path: Path, describe: Describe) -> None:
    labels = np.stack([CANCER.target, CANCER.target == 0], axis=1)
    more = {"objective": "binary:logistic", "nthread": 1}
    booster = xgboost.train(more, CANCER.matrix(label=labels), ROUNDS)
    description = describe(features=CANCER.features, trees=ROUNDS, targets=["benign", "malignant"])
    manifest = publish(tmp_path, booster, description, CANCER.rows[:5])
    outputs, expected = Bundle.load(manifest).outputs(CANCER.values), booster.predict(CANCER.matrix())
    assert outputs.probability is not None
    assert np.array_equal(outputs.probability, expected)
    assert np.array_equal(outputs.prediction, expected > 0.5)
    assert manifest.members == {"prediction": 2, "probability": 2}
    assert manifest.columns[False][2:] == ("probability_benign", "probability_malignant")


@pytest.mark.parametrize(
    ("name", "changes", "message"),
    [
        ("multi:softprob", {"classes": ["a", "b"]}, "has 3 classes, but its description has 2"),
        ("reg:gamma", {"classes": ["a", "b"]}, "has 0 classes, but its description has 2"),
    ],
)
def test_the_number_of_classes_must_fit_the_model(
    tmp_path: Path, describe: Describe, name: str, changes: dict[str, Any], message: str
) -> None:
    with pytest.raises(BundleError, match=message):
        load(tmp_path, describe, name, **changes)
