"""Numbers, integers and booleans: which values they accept, as JSON values and as text."""

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from model.description.features import FLOAT32_LIMIT, is_number
from model.description.schema import InvalidValue, read_boolean, read_integer, read_number

LARGEST = float(np.finfo(np.float32).max)

DIGITS = st.text("0123456789", min_size=1, max_size=50)
NUMBERLIKE = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "-", "+", " ", "\t-"]),
    DIGITS,
    st.sampled_from(["", ".", ".5", ".250", ".e", "_0", "\u0663"]),
    st.sampled_from(["", "e3", "E+2", "e-40", "e400", "e", " ", "\n", "\u00a0", "f"]),
)


def read_as_json(text: str) -> float | None:
    """Read a number with Python's JSON parser; None if it is not a number that fits float32."""
    try:
        parsed: Any = json.loads(text, parse_int=float)
    except (ValueError, RecursionError):
        return None
    return parsed if isinstance(parsed, float) and abs(parsed) < FLOAT32_LIMIT else None


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
def test_text_is_a_number_exactly_when_it_is_a_json_number(text: str) -> None:
    expected = read_as_json(text)
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


def test_only_true_and_false_are_booleans() -> None:
    assert read_boolean(True) is read_boolean("true") is read_boolean(" true ") is True
    assert read_boolean(False) is read_boolean("false") is False
    for value in ("True", "yes", "1", "", 1, 0, None):
        with pytest.raises(InvalidValue, match="must be true or false"):
            read_boolean(value)
