"""Values read by column equal those read row by row, and so do their faults."""

import math
from collections.abc import Sequence
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from model.bundle import RowEncoder
from model.description.features import Feature
from model.description.schema import InvalidRows, Schema
from model.tables.columns import MISSING, ColumnCheck

MISSING_TEXTS = ("NA", "-")
FEATURES = [
    Feature("any", "number"),
    Feature("some", "number", nullable=True),
    Feature("limited", "number", minimum=-1.5, maximum=1e3),
    Feature("whole", "integer"),
    Feature("flag", "boolean", nullable=True),
    Feature("town", "category", categories=("Bern", "Ghent", "", "5")),
    Feature("code", "category", nullable=True, categories=("0", "1", "2.50", "True", "nan")),
    Feature("seen", "category", categories=("1.0", "true", "false"), unseen="missing"),
    Feature("known", "category", nullable=True, categories=("3", "1", ""), unseen="unknown"),
]

digits = st.text("0123456789", max_size=3)
odd_numbers = st.builds(
    "".join, st.tuples(*[st.sampled_from(["", "-", "+", ".", "0", "e", "E", " ", "e+"]) | digits] * 5)
)
words = [
    "true",
    " true",
    "True",
    "FALSE",
    "false\t",
    "Bern",
    "bern",
    "Ghent",
    "inf",
    "nan",
    " NaN",
    "NA",
    "-",
]
codes = [" NaN", "NA", "-", "0", "1", "1.0", "0.0", "01", "2.5", "2.50", "5.0", "1e0", "+1"]
numbers = ["1e400", "2e0", "1e39", "-0", "1.5e-05", "340282356779733661637539395458142568447"]
texts = (
    odd_numbers
    | st.text(max_size=6)
    | st.floats().map(repr)
    | st.integers().map(str)
    | st.sampled_from(words + numbers + codes)
)


def row_by_row(feature: Feature, values: Sequence[object]) -> tuple[list[float], dict[int, str]]:
    """Read each value as a row of its own; returns the numbers for XGBoost, and the faults."""
    schema = Schema([feature], MISSING_TEXTS)
    encoder = RowEncoder(schema)
    numbers, faults = [], {}
    for position, value in enumerate(values):
        try:
            row = {} if value is MISSING else {feature.name: value}
            numbers.append(float(encoder.encode([schema.check_row(row)])[0, 0]))
        except InvalidRows as error:
            numbers.append(math.nan)
            faults[position] = error.faults[0].detail
    return numbers, faults


def by_column(
    feature: Feature, column: Any, empty_is_null: bool = False
) -> tuple[list[float], dict[int, str]]:
    check = ColumnCheck(Schema([feature], MISSING_TEXTS), empty_is_null)
    checked = check.read({feature.name: column}, len(column))
    return checked.matrix[:, 0].tolist(), {row: faults[0].detail for row, faults in checked.faults.items()}


def assert_read_alike(
    feature: Feature, column: Any, values: Sequence[object], empty_is_null: bool = False
) -> None:
    expected, expected_faults = row_by_row(feature, values)
    numbers, faults = by_column(feature, column, empty_is_null)
    assert faults == expected_faults
    for position, number in enumerate(expected):
        same = np.array_equal([numbers[position]], [number], equal_nan=True)
        assert position in faults or same, values[position]


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
@given(data=st.data())
def test_fields_of_a_csv_file_are_read_like_single_rows(feature: Feature, data: st.DataObject) -> None:
    fields = data.draw(st.lists(texts, max_size=12))
    start = data.draw(st.integers(0, len(fields)))
    column = pa.array([field.encode() for field in fields], pa.binary())[start:]
    assert_read_alike(feature, column, [field or None for field in fields[start:]], empty_is_null=True)


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
@given(
    values=st.lists(st.none() | texts, max_size=12),
    kind=st.sampled_from([pa.string(), pa.large_string(), pa.string_view()]),
)
def test_texts_of_a_parquet_file_are_read_like_single_rows(
    feature: Feature, values: list[Any], kind: Any
) -> None:
    assert_read_alike(feature, pa.array(values, kind), values)
    assert_read_alike(feature, pa.array(values, pa.string()).dictionary_encode(), values)


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
@given(data=st.data())
def test_numbers_of_a_parquet_file_are_read_like_single_rows(feature: Feature, data: st.DataObject) -> None:
    kind, elements = data.draw(
        st.sampled_from(
            [
                (pa.float64(), st.floats()),
                (pa.float64(), st.sampled_from([0.0, -0.0, 1.0, 2.5, 5.0, 3.0, 2.0**53, math.nan])),
                (pa.int16(), st.integers(-1, 6)),
                (pa.float32(), st.floats(width=32)),
                (pa.float16(), st.floats(width=16)),
                (pa.int64(), st.integers(-(2**63), 2**63 - 1)),
                (pa.uint64(), st.integers(0, 2**64 - 1)),
                (pa.int8(), st.integers(-128, 127)),
                (pa.bool_(), st.booleans()),
            ]
        )
    )
    values = data.draw(st.lists(st.none() | elements, max_size=12))
    assert_read_alike(feature, pa.array(values, kind), values)


@pytest.mark.parametrize("feature", FEATURES, ids=lambda feature: feature.name)
@given(
    values=st.lists(
        st.none()
        | st.booleans()
        | st.integers()
        | st.integers(0, 5)
        | st.floats()
        | texts
        | st.sampled_from([[1], MISSING, 1.0, 2.5]),
        max_size=8,
    )
)
def test_json_values_are_read_like_single_rows(feature: Feature, values: list[object]) -> None:
    assert_read_alike(feature, values, values)


def test_each_fault_of_a_row_is_reported() -> None:
    schema = Schema(FEATURES[:4])
    columns = {
        name: pa.array([b"1", value])
        for name, value in zip(schema.names, [b"x", b"", b"7e3", b".5"], strict=True)
    }
    checked = ColumnCheck(schema, empty_is_null=True).read(columns, 2)
    assert {row: [tuple(fault) for fault in faults] for row, faults in checked.faults.items()} == {
        1: [
            ("any", "must be a number"),
            ("limited", "must be at most 1000.0"),
            ("whole", "must be an integer"),
        ]
    }
    assert math.isnan(checked.matrix[1, 1])


def test_a_nullable_feature_without_a_column_is_missing_in_every_row() -> None:
    schema = Schema(FEATURES[:2])
    checked = ColumnCheck(schema, empty_is_null=True).read({"any": pa.array([b"1", b"2"])}, 2)
    assert np.array_equal(checked.matrix, [[1, np.nan], [2, np.nan]], equal_nan=True)
    assert checked.faults == {}


def test_a_column_of_dates_is_not_a_column_of_numbers() -> None:
    dates = pa.array([0, 1], pa.timestamp("ms"))
    assert by_column(FEATURES[0], dates)[1] == {0: "must be a number", 1: "must be a number"}


def test_decimals_are_numbers() -> None:
    assert by_column(FEATURES[0], pa.array(["1.10", "-2.05"]).cast(pa.decimal128(5, 2)))[0] == [
        np.float32(1.1),
        np.float32(-2.05),
    ]
