"""What the trees get of a row, and what each column of the caller contributes."""

import numpy as np
import pytest
from paygrade.steps import Steps

from model.description.errors import BundleError
from model.description.features import Feature
from model.description.schema import Schema
from model.preparation import MissingValues, RawColumns, preparation_of

AREA, ROOMS = Feature("area", "number", nullable=True), Feature("rooms", "number", zero_is_missing=True)
MARGIN = Feature("exposure", "number", base_margin=True)
CITY = Feature("city", "category", categories=("Bonn", "Ulm"), unseen="unknown")
NAN = np.nan


def one_hot(**changes: object) -> dict[str, object]:
    """Three columns: one for each city, and the area."""
    step = {"kind": "one_hot", "of": [1], "width": 2, "results": [0, 1], "unknown": -1, "missing": -1}
    return {"steps": [step], "output": [2, 3, 0], "names": ["Bonn", "Ulm", "area"], **changes}


def assert_equal(matrix: object, expected: list[list[float]]) -> None:
    np.testing.assert_array_equal(np.array(matrix), np.array(expected))


def test_numbers_that_count_as_missing_are_missing_to_the_trees_only() -> None:
    matrix = np.array([[-999, 0], [0, -999], [1, 2]], dtype=np.float32)
    given = matrix.tolist()
    features, margin = RawColumns(Schema([AREA, ROOMS]), missing=-999).split(matrix)
    assert_equal(features, [[NAN, NAN], [0, NAN], [1, 2]])
    assert matrix.tolist() == given
    assert margin is None


def test_a_number_that_float32_rounds_counts_as_missing_as_it_does_to_xgboost() -> None:
    matrix = np.array([[0.1], [0.2]], dtype=np.float32)
    assert np.isnan(MissingValues([(0.1,)]).blank(matrix)).tolist() == [[True], [False]]


def test_a_base_margin_that_equals_the_missing_number_stays_a_margin() -> None:
    matrix = np.array([[-999, -999], [5, 0]], dtype=np.float32)
    features, margin = RawColumns(Schema([MARGIN, AREA]), missing=-999).split(matrix)
    assert_equal(features, [[NAN], [0]])
    assert margin is not None
    assert margin.tolist() == [-999, 5]


def test_without_such_numbers_the_matrix_is_passed_on_and_not_copied() -> None:
    matrix = np.zeros((2, 1), dtype=np.float32)
    assert RawColumns(Schema([AREA]), None).split(matrix)[0] is matrix


def test_steps_make_the_columns_of_the_trees() -> None:
    preparation = preparation_of(Schema([AREA, CITY]), -1.5, one_hot())
    features, margin = preparation.split(np.array([[70.5, 1], [-1.5, 0], [NAN, -1]]))
    assert preparation.names == ("Bonn", "Ulm", "area")
    assert features.dtype == np.float32
    assert_equal(features, [[0, 1, 70.5], [1, 0, NAN], [0, 0, NAN]])
    assert margin is None


def test_contributions_of_encoded_columns_add_up_to_those_of_their_feature() -> None:
    preparation = preparation_of(Schema([AREA, CITY]), steps=one_hot())
    values = np.array([[1, 2, 10], [0.5, 0, -1]], dtype=np.float32)
    contributions = preparation.contributions(values, np.zeros((2, 2)))
    assert contributions.dtype == np.float32
    assert contributions.tolist() == [[10, 3], [-1, 0.5]]


def test_a_column_that_mixes_features_is_named_and_has_no_contributions() -> None:
    product = {"kind": "product", "of": [0, 1], "terms": [[0, 1], []], "dtype": "float64"}
    steps = {"steps": [product], "output": [2, 3], "names": ["area rooms", "1"]}
    mixing = preparation_of(Schema([AREA, Feature("rooms", "number")]), steps=steps)
    assert mixing.mixed == "the column area rooms mixes area and rooms"
    with pytest.raises(ValueError, match="mixes area and rooms"):
        mixing.contributions(np.zeros((1, 2), np.float32), np.zeros((1, 2)))


def test_steps_that_do_not_fit_the_features_are_refused_in_one_line() -> None:
    with pytest.raises(BundleError, match="step 0") as refusal:
        preparation_of(Schema([AREA]), steps=one_hot())
    assert "\n" not in str(refusal.value)
    assert isinstance(Steps.from_dict(one_hot(), [AREA.to_dict(), CITY.to_dict()]), Steps)
