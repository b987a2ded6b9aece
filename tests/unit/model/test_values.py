"""Which values each type of feature accepts, as JSON values and as text."""

import math
from collections.abc import Callable
from typing import Any

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from model.description.features import FLOAT32_LIMIT, TEXT, Feature, is_number
from model.description.schema import Schema
from model.description.values import InvalidValue, read_boolean, read_integer, read_number, value_reader
from model.tables.columns import UNKNOWN_CODE, ColumnCheck

LARGEST = float(np.finfo(np.float32).max)

DIGITS = st.text("0123456789", min_size=1, max_size=50)
NUMBERLIKE = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "-", "+", " ", "\t-"]),
    DIGITS,
    st.sampled_from(["", ".", ".5", ".250", ".e", "_0", "\u0663"]),
    st.sampled_from(["", "e3", "E+2", "e-40", "e400", "e", " ", "\n", "\u00a0", "f"]),
)


def read_otherwise(text: str) -> float | None:
    """Read a number as Python does, without what only Python writes; None if it does not fit float32."""
    text = text.strip(" \t\n\r")
    if not text.isascii() or text.strip("0123456789+-.eE"):
        return None
    try:
        parsed = float(text)
    except ValueError:
        return None
    return parsed if abs(parsed) < FLOAT32_LIMIT else None


@given(st.one_of(st.text(), NUMBERLIKE, st.floats().map(repr), st.integers().map(str)))
@example("")
@example("1.")
@example(".5")
@example("+1")
@example("01")
@example("-")
@example("0x1")
@example("NaN")
@example("-Infinity")
@example("1_000")
@example("\u0663")
@example("\uff11")
@example("2.5\u00a0")
@example("2 5")
@example("true")
@example(" 2.5 ")
@example("-0")
def test_text_is_a_number_exactly_when_it_is_one_to_json_or_to_common_writers(text: str) -> None:
    expected = read_otherwise(text)
    if expected is None:
        with pytest.raises(InvalidValue):
            read_number(text)
    else:
        assert read_number(text) == expected


@given(st.one_of(st.floats(), st.integers(), st.integers(min_value=2**126, max_value=2**130)))
def test_a_number_is_accepted_exactly_when_it_fits_float32(value: float) -> None:
    with np.errstate(over="ignore"):
        fits = bool(np.isfinite(np.float32(value))) if abs(value) < 1e300 else False
    assert is_number(value) or not fits
    if fits:
        assert read_number(value) == float(value)
    else:
        with pytest.raises(InvalidValue):
            read_number(value)


def test_the_limit_is_the_smallest_number_that_float32_rounds_to_infinity() -> None:
    below = math.nextafter(FLOAT32_LIMIT, 0)
    assert np.float32(below) == np.float32(LARGEST)
    assert read_number(below) == below
    with np.errstate(over="ignore"):
        assert np.isinf(np.float32(FLOAT32_LIMIT))
    for beyond in (FLOAT32_LIMIT, -FLOAT32_LIMIT, 2**128 - 2**103 - 1, 10**5000, "1e39", math.inf):
        with pytest.raises(InvalidValue, match="must fit a 32-bit float"):
            read_number(beyond)


@pytest.mark.parametrize("value", [True, False, None, [], {}, b"1", math.nan])
def test_other_values_are_not_numbers(value: object) -> None:
    with pytest.raises(InvalidValue, match="must be a number"):
        read_number(value)


@pytest.mark.parametrize("text", ["1e999999999", "9" * 1_000_000, "1e" + "9" * 1_000_000])
def test_huge_numbers_in_text_are_refused(text: str) -> None:
    for read in (read_number, read_integer):
        with pytest.raises(InvalidValue, match="must fit a 32-bit float"):
            read(text)


@pytest.mark.parametrize("value", [2, 2.0, "2", "2.0", "2e0", " 20e-1 "])
def test_an_integer_can_be_written_with_a_point_or_an_exponent(value: object) -> None:
    assert read_integer(value) == 2


@pytest.mark.parametrize("value", [2.5, "2.5", "two", "", True, None, math.nan])
def test_a_fraction_is_not_an_integer(value: object) -> None:
    with pytest.raises(InvalidValue, match="must be an integer"):
        read_integer(value)


@given(st.integers(min_value=-(10**38), max_value=10**38))
def test_an_integer_has_the_same_value_as_a_number_and_as_text(value: int) -> None:
    assert read_integer(value) == read_integer(str(value)) == read_integer(float(value))


@pytest.mark.parametrize(
    ("text", "number"),
    [(".5", 0.5), ("5.", 5), ("+5", 5), ("007", 7), (" 2.5 ", 2.5), ("-.5e1", -5), ("+0.0", 0), ("-00", 0)],
)
def test_numbers_as_other_writers_have_them_are_numbers(text: str, number: float) -> None:
    assert read_number(text) == number


def test_a_boolean_is_true_or_false_in_any_case_or_one_or_zero() -> None:
    for true in (True, 1, 1.0, "true", "True", "TRUE", " true\n", "1", "1.0"):
        assert read_boolean(true) is True
    for false in (False, 0, 0.0, -0.0, "false", "False", "FALSE", "0", "0.0"):
        assert read_boolean(false) is False
    for value in ("yes", "T", "", "2", "10", 2, 0.5, math.nan, None, [True]):
        with pytest.raises(InvalidValue, match="must be true or false"):
            read_boolean(value)


UNREADABLE: list[object] = [[], {}, None, math.nan]


def categories(*texts: str, **fields: Any) -> Callable[[object], Any]:
    return value_reader(Feature("month", "category", categories=texts, **fields))


@pytest.mark.parametrize("value", [1, 1.0, "1", "1.0", "1.00"])
def test_a_category_that_is_a_number_has_that_number_in_every_form(value: object) -> None:
    assert categories("10", "1")(value) == "1"
    assert categories("10.0", "1.0")(value) == "1.0"


@pytest.mark.parametrize("value", [2.5, "2.5", "2.50"])
def test_a_category_may_be_a_number_with_a_fraction(value: object) -> None:
    assert categories("2.5", "3")(value) == "2.5"


@pytest.mark.parametrize("value", [True, "true", "True", "TRUE"])
def test_a_category_that_is_a_boolean_has_that_boolean_in_every_form(value: object) -> None:
    assert categories("False", "True")(value) == "True"


@pytest.mark.parametrize(
    ("category", "value"),
    [("007", 7), ("007", "7"), ("7", "007"), ("100000", "1E5"), ("1E5", "10E4"), ("a", "A"), ("a", " a")],
)
def test_codes_that_only_look_like_the_number_of_a_category_are_not_that_category(
    category: str, value: object
) -> None:
    with pytest.raises(InvalidValue, match="must be one of"):
        categories(category)(value)


def test_long_numbers_are_not_mistaken_for_their_neighbours() -> None:
    read = categories(str(2**53 + 1))
    assert read(2**53 + 1) == str(2**53 + 1)
    others: list[object] = [2**53, float(2**53), 10**5000, math.inf]
    for value in others:
        with pytest.raises(InvalidValue):
            read(value)


def test_categories_that_are_the_same_number_are_told_apart_by_their_text() -> None:
    read = categories("1.0", "1")
    assert [read(value) for value in ("1", "1.0", 1, 1.0)] == ["1", "1.0", "1", "1"]


def test_an_unseen_category_is_a_fault_or_missing_or_unknown() -> None:
    with pytest.raises(InvalidValue, match="must be one of: a"):
        categories("a")("b")
    assert categories("a", unseen="missing")("b") is None
    assert categories("a", unseen="unknown")("b") == "b"
    for unseen in ("fault", "missing", "unknown"):
        for value in UNREADABLE:
            with pytest.raises(InvalidValue):
                categories("a", unseen=unseen)(value)


def test_missing_values_of_a_nullable_feature() -> None:
    number = value_reader(Feature("x", "number", nullable=True), ["NA", "-"])
    for value in (None, math.nan, "NaN", "nan", " NaN ", "NA", " NA", "-"):
        assert number(value) is None
    town = value_reader(Feature("x", "category", True, ("Bern", "nan")), ["NA"])
    assert [town(value) for value in (None, math.nan, "NA", "nan")] == [None, None, None, "nan"]


@pytest.mark.parametrize("value", [math.nan, "NaN", "NA"])
def test_a_feature_that_is_not_nullable_has_no_missing_values(value: object) -> None:
    with pytest.raises(InvalidValue, match="must be a number"):
        value_reader(Feature("x", "number"), ["NA"])(value)


def test_steps_that_were_fitted_on_texts_tell_all_texts_apart() -> None:
    texts = Feature("x", "category", categories=("True", "1.50"), unseen="unknown", dtype=TEXT)
    read = value_reader(texts)
    assert [read(text) for text in ("True", "true", "1.50", "1.5")] == ["True", "true", "1.50", "1.5"]
    column = pa.array([b"True", b"true", b"1.50", b"1.5"])
    checked = ColumnCheck(Schema([texts]), empty_is_null=True, matrix_type=np.float64).read({"x": column}, 4)
    assert checked.matrix[:, 0].tolist() == [0, UNKNOWN_CODE, 1, UNKNOWN_CODE]
