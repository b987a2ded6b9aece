"""What is done to a booster's scores."""

import math

import numpy as np
import pytest
from paygrade.steps import After, StepsError

SCORES = np.array([0.25, 0.5], dtype=np.float32)


def test_nothing_leaves_the_scores_as_they_are() -> None:
    after = After.from_list([])
    assert after.exact
    assert after.apply(SCORES) is SCORES


def test_the_inverse_of_a_transform_keeps_the_precision() -> None:
    after = After.from_list([{"kind": "function", "dtype": "float32", "name": "square"}])
    assert after.exact
    assert after.apply(SCORES).tolist() == [0.0625, 0.25]
    assert after.apply(SCORES).dtype == np.float32


@pytest.mark.parametrize("name", ["exp", "expm1", "log"])
def test_an_exponential_is_not_exact(name: str) -> None:
    assert not After.from_list([{"kind": "function", "dtype": "float32", "name": name}]).exact


def test_a_power_is_not_exact() -> None:
    power = {"kind": "power", "dtype": "float32", "method": "inverse_yeo_johnson", "powers": [0.5]}
    assert not After.from_list([power]).exact


def test_normal_quantiles_are_converted_back_in_float64() -> None:
    points = {"quantiles": [10, 20, 40], "references": [0, 0.5, 1]}
    after = After.from_list([{"kind": "inverse_normal_quantile", "dtype": "float32", **points}])
    scores = np.array([-6, 0, 1, 6], dtype=np.float32)
    assert after.apply(scores).tolist() == [10, 20, np.float32(20 + (0.8413447460685429 - 0.5) * 40), 40]
    assert not after.exact


def test_a_sigmoid_calibrates_in_float64() -> None:
    sigmoid = {"method": "sigmoid", "slope": -2, "intercept": 0.5}
    after = After.from_list([{"kind": "calibration", "calibrators": [sigmoid]}])
    assert after.apply(SCORES).tolist() == [1 / (1 + math.exp(0)), 1 / (1 + math.exp(-0.5))]
    assert not after.exact


def test_a_sigmoid_reaches_its_ends() -> None:
    sigmoid = {"method": "sigmoid", "slope": 1e6, "intercept": 0}
    after = After.from_list([{"kind": "calibration", "calibrators": [sigmoid]}])
    assert after.apply(np.array([-1, 1], dtype=np.float32)).tolist() == [1, 0]


def test_an_isotonic_calibration_interpolates() -> None:
    isotonic = {"method": "isotonic", "dtype": "float32", "scores": [0.2, 0.4], "probabilities": [0, 1]}
    after = After.from_list([{"kind": "calibration", "calibrators": [isotonic]}])
    assert after.apply(np.array([0.1, 0.9], dtype=np.float32)).tolist() == [0, 1]
    assert after.apply(SCORES).dtype == np.float64
    assert after.exact


@pytest.mark.parametrize(("weighs", "probability"), [(False, 0.21999998), (True, 0.22)])
def test_an_isotonic_calibration_rounds_as_its_version_of_scipy(weighs: bool, probability: float) -> None:
    points = {"scores": [0.3, 0.8], "probabilities": [0.1, 0.7]}
    isotonic = {"method": "isotonic", "dtype": "float32", "weighs": weighs, **points}
    after = After.from_list([{"kind": "calibration", "calibrators": [isotonic]}])
    assert after.apply(np.array([0.4], dtype=np.float32)).tolist() == [np.float32(probability)]


def test_several_classes_sum_to_one() -> None:
    isotonic = {"method": "isotonic", "dtype": "float64", "scores": [0, 1], "probabilities": [0, 0.5]}
    after = After.from_list([{"kind": "calibration", "calibrators": [isotonic] * 3}])
    scores = np.array([[0.2, 0.2, 0.4], [0, 0, 0]], dtype=np.float32)
    assert after.apply(scores).sum(axis=1).tolist() == pytest.approx([1, 1])
    assert after.apply(scores)[1].tolist() == [1 / 3] * 3


def test_calibrators_must_fit_the_scores() -> None:
    sigmoid = {"method": "sigmoid", "slope": -2, "intercept": 0.5}
    after = After.from_list([{"kind": "calibration", "calibrators": [sigmoid]}])
    with pytest.raises(StepsError, match="1 calibrators, but 3 scores"):
        after.apply(np.zeros((2, 3), dtype=np.float32))


def test_several_scores_cannot_be_converted_back() -> None:
    after = After.from_list([{"kind": "function", "dtype": "float32", "name": "square"}])
    with pytest.raises(StepsError, match="several scores for each row"):
        after.apply(np.zeros((2, 3), dtype=np.float32))


def test_an_unknown_kind_is_refused() -> None:
    with pytest.raises(StepsError, match="after 0: kind must be one of"):
        After.from_list([{"kind": "eval"}])
