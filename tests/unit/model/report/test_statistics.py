"""Each statistic of a report is what scikit-learn or SciPy makes of the same data."""

import itertools
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import xgboost
from numpy.typing import NDArray
from scipy import stats
from sklearn import metrics as reference
from sklearn.calibration import calibration_curve
from sklearn.inspection import partial_dependence, permutation_importance

from model.bundle import Bundle
from model.evaluation.evaluate import Evaluation, Predictions
from model.evaluation.metrics import (
    class_metrics,
    interval_metrics,
    mean_of,
    number_metrics,
    pinball_losses,
)
from model.evaluation.resampling import Resampled, wilson
from model.publish import publish
from model.report.binning import (
    calibration_bins,
    calibration_error,
    confusion,
    error_groups,
    groups_of,
    histogram,
)
from model.report.effects import effect_of
from model.report.importance import importances

Floats = NDArray[np.float64]
ROWS = 400


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(7)


def probabilities_of(random: np.random.Generator, classes: int) -> Floats:
    """With ties, as trees give them."""
    probabilities: Floats = np.round(random.dirichlet(np.ones(classes), ROWS), 1) + 0.01
    probabilities /= probabilities.sum(axis=1, keepdims=True)
    return probabilities


NUMBERS: dict[str, Callable[..., float]] = {
    "mean absolute error": reference.mean_absolute_error,
    "root mean squared error": reference.root_mean_squared_error,
    "r2": reference.r2_score,
}


@pytest.mark.parametrize("name", NUMBERS)
def test_metrics_of_numbers(random: np.random.Generator, name: str) -> None:
    labels, predicted, weights = random.normal(size=(3, ROWS)) ** 2
    found = number_metrics(labels, predicted)[name](weights)
    assert found == pytest.approx(NUMBERS[name](labels, predicted, sample_weight=weights))


def test_r2_of_equal_labels_is_not_known() -> None:
    assert np.isnan(number_metrics(np.ones(9), np.zeros(9))["r2"](np.ones(9)))


@pytest.mark.parametrize("classes", [2, 3, 5])
def test_metrics_of_classes(random: np.random.Generator, classes: int) -> None:
    numbers, probabilities = random.integers(classes, size=ROWS), probabilities_of(random, classes)
    weights = random.integers(0, 4, ROWS).astype(float)
    found = {name: measure(weights) for name, measure in class_metrics(numbers, probabilities).items()}
    expected = {
        "accuracy": reference.accuracy_score(numbers, probabilities.argmax(axis=1), sample_weight=weights),
        "log loss": reference.log_loss(numbers, probabilities, sample_weight=weights),
    }
    if classes == 2:
        expected |= {
            "Brier score": reference.brier_score_loss(numbers, probabilities[:, 1], sample_weight=weights),
            "area under ROC": reference.roc_auc_score(numbers, probabilities[:, 1], sample_weight=weights),
        }
    assert found == pytest.approx(expected)


def test_the_area_under_roc_of_one_class_is_not_known(random: np.random.Generator) -> None:
    measures = class_metrics(np.zeros(ROWS, dtype=np.int64), probabilities_of(random, 2))
    assert np.isnan(measures["area under ROC"](np.ones(ROWS)))


@pytest.mark.parametrize("alpha", [0.05, 0.5, 0.9])
def test_the_pinball_loss(random: np.random.Generator, alpha: float) -> None:
    labels, predicted = random.normal(size=(2, ROWS))
    expected = reference.mean_pinball_loss(labels, predicted, alpha=alpha)
    assert pinball_losses(labels, predicted, alpha).mean() == pytest.approx(expected)


def test_the_coverage_counts_the_ends_of_the_interval() -> None:
    labels, interval = np.array([1.0, 2, 3, 4]), np.array([[1.0, 2]] * 4)
    found = interval_metrics(labels, interval)
    assert found["interval coverage"](np.ones(4)) == 0.5
    assert found["interval width"](np.ones(4)) == 1


@pytest.mark.parametrize(("successes", "rows"), [(0, 12), (7, 12), (12, 12), (940, 1000)])
def test_the_interval_of_a_share(successes: int, rows: int) -> None:
    expected = stats.binomtest(successes, rows).proportion_ci(method="wilson")
    assert wilson(successes, rows) == pytest.approx((successes / rows, *expected), abs=1e-12)


def test_intervals_of_metrics_are_those_of_the_bootstrap(random: np.random.Generator) -> None:
    labels, near, far = random.normal(size=(3, ROWS)).cumsum(axis=0)
    measures = [number_metrics(labels, each)["mean absolute error"] for each in (near, far)]
    found = Resampled(measures, ROWS)

    def gap(rows: NDArray[np.int64]) -> Any:
        return (np.abs(far - labels) - np.abs(near - labels))[rows].mean()

    numbers = np.arange(ROWS)
    options: dict[str, Any] = {
        "method": "percentile",
        "n_resamples": 4_000,
        "rng": random,
        "vectorized": False,
    }
    single = stats.bootstrap((np.abs(near - labels),), np.mean, **options).confidence_interval
    paired = stats.bootstrap((numbers,), gap, **options).confidence_interval
    for interval, (low, high) in ((found.interval(0), single), (found.difference(1, 0), paired)):
        assert interval.low < interval.value < interval.high
        room = 0.12 * (high - low)
        assert (interval.low, interval.high) == pytest.approx((low, high), abs=room)


def test_an_interval_holds_the_truth_as_often_as_it_says(random: np.random.Generator) -> None:
    drawn = random.exponential(size=(120, 150))
    held = 0
    for values in drawn:
        interval = Resampled([mean_of(values)], len(values)).interval(0)
        held += interval.low <= 1 <= interval.high
    assert stats.binomtest(held, len(drawn), 0.94).pvalue > 0.01


@pytest.mark.parametrize("tied", [True, False])
def test_the_calibration(random: np.random.Generator, tied: bool) -> None:
    probabilities = probabilities_of(random, 2)[:, 1] if tied else random.random(ROWS)
    came_true = random.random(ROWS) < probabilities
    bins = calibration_bins(probabilities, came_true)
    found, predicted = calibration_curve(came_true, probabilities, n_bins=10, strategy="quantile")
    assert [each.found.value for each in bins] == pytest.approx(found.tolist())
    assert [each.predicted for each in bins] == pytest.approx(predicted.tolist())
    sizes = np.array([each.rows for each in bins])
    assert calibration_error(bins) == pytest.approx(np.average(np.abs(found - predicted), weights=sizes))


def test_which_class_is_taken_for_which(random: np.random.Generator) -> None:
    true, predicted = random.integers(4, size=(2, ROWS))
    assert (
        confusion(true, predicted, 5).tolist()
        == reference.confusion_matrix(true, predicted, labels=range(5)).tolist()
    )


def test_groups_part_all_rows_by_their_values(random: np.random.Generator) -> None:
    for values in (random.normal(size=ROWS), random.integers(3, size=ROWS).astype(float), np.ones(7)):
        groups = groups_of(values)
        assert sorted(np.concatenate(groups).tolist()) == list(range(len(values)))
        ends = [(values[rows].min(), values[rows].max()) for rows in groups]
        assert all(one[1] < other[0] for one, other in itertools.pairwise(ends))


def test_errors_are_grouped_by_the_prediction(random: np.random.Generator) -> None:
    predicted = random.normal(size=ROWS)
    labels = predicted + 2
    for group in error_groups(predicted, labels):
        assert group.true - group.predicted == pytest.approx(2)
        assert group.spread.quantiles == pytest.approx([2] * 5)


def test_a_histogram_counts_every_row(random: np.random.Generator) -> None:
    values = random.standard_cauchy(5_000)
    edges, counts = histogram(values)
    assert sum(counts) == 5_000
    inner = (values > edges[1]) & (values < edges[-2])
    assert sum(counts[1:-1]) == inner.sum()


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> tuple[Bundle, Any, Floats, Floats]:
    """A bundle, the same model as scikit-learn has it, and its rows."""
    rows = np.random.default_rng(3).normal(size=(ROWS, 3))
    labels = 3 * rows[:, 0] + rows[:, 1] ** 2 + np.where(rows[:, 2] > 0, 1, 0)
    estimator = xgboost.XGBRegressor(n_estimators=30, max_depth=3, n_jobs=1).fit(rows, labels)
    description = {
        "name": "y",
        "target": "y",
        "unit": "",
        "features": [{"name": f"f{number}", "type": "number"} for number in range(3)],
        "trees": 30,
        "metrics": {},
        "training": {},
    }
    root: Path = tmp_path_factory.mktemp("bundles")
    booster = estimator.get_booster()
    booster.feature_names = ["f0", "f1", "f2"]
    manifest = publish(root, booster, description, [{"f0": 0, "f1": 0, "f2": 0}])
    return Bundle.load(manifest), estimator, rows, labels


def test_the_effect_of_a_feature_is_its_partial_dependence(trained: Any) -> None:
    bundle, estimator, rows, _ = trained
    few = rows[:200]  # all rows of a small table are used
    effect = effect_of(bundle, few.astype(np.float32), 1)
    assert effect
    expected = partial_dependence(
        estimator, few, [1], method="brute", kind="average", custom_values={1: effect.values}
    )
    assert effect.series["prediction"] == pytest.approx(expected["average"][0], rel=1e-4, abs=1e-4)
    assert effect.rows.sum() == 200


def test_the_importance_of_a_feature_is_what_its_permutation_costs(trained: Any) -> None:
    bundle, estimator, rows, labels = trained
    evaluation = Evaluation(
        "y", "reg:squarederror", labels, Predictions(estimator.predict(rows)), np.arange(ROWS)
    )
    found = {each.feature: each for each in importances(bundle, rows.astype(np.float32), evaluation)}
    expected = permutation_importance(
        estimator, rows, labels, scoring="neg_root_mean_squared_error", n_repeats=30, random_state=0
    )
    for position, mean in enumerate(expected.importances_mean.tolist()):
        importance = found[f"f{position}"]
        assert importance.mean == pytest.approx(mean, rel=0.15)
        assert importance.low <= importance.mean <= importance.high
    contributions = np.abs(
        estimator.get_booster().predict(
            xgboost.DMatrix(rows, feature_names=["f0", "f1", "f2"]), pred_contribs=True
        )
    )[:, :3].mean(axis=0)
    for position, mean in enumerate(contributions.tolist()):
        assert found[f"f{position}"].contribution == pytest.approx(mean, rel=1e-3)
