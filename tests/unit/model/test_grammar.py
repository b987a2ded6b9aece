"""What a number is, is what JSON says a number is."""

import json
import math
from typing import Any

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from model.description.grammar import BEYOND_FLOAT32, Refused, boolean, integer, is_number, number

LARGEST = float(np.finfo(np.float32).max)

digits = st.text("0123456789", min_size=1, max_size=50)
numberlike = st.builds(
    "{}{}{}{}".format,
    st.sampled_from(["", "-", "+", " ", "\t-"]),
    digits,
    st.sampled_from(["", ".", ".5", ".250", ".e", "_0", "\u0663"]),
    st.sampled_from(["", "e3", "E+2", "e-40", "e400", "e", " ", "\n", "\u00a0", "f"]),
)


def read_as_json(text: str) -> float | None:
    """Judge as Python's own JSON reader does, and keep what float32 can hold."""
    try:
        read: Any = json.loads(text, parse_int=float)
    except (ValueError, RecursionError):
        return None
    return read if isinstance(read, float) and abs(read) < BEYOND_FLOAT32 else None


@given(st.one_of(st.text(), numberlike, st.floats().map(repr), st.integers().map(str)))
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
def test_text_is_a_number_exactly_when_json_says_so(text: str) -> None:
    expected = read_as_json(text)
    if expected is None:
        with pytest.raises(Refused):
            number(text)
    else:
        assert number(text) == expected


@given(st.one_of(st.floats(), st.integers(), st.integers(min_value=2**126, max_value=2**130)))
def test_a_number_is_taken_exactly_when_float32_can_hold_it(value: float) -> None:
    with np.errstate(over="ignore"):
        fits = bool(np.isfinite(np.float32(value))) if abs(value) < 1e300 else False
    assert is_number(value) or not fits
    if fits:
        assert number(value) == float(value)
    else:
        with pytest.raises(Refused):
            number(value)


def test_the_limit_is_where_float32_turns_to_infinity() -> None:
    below = math.nextafter(BEYOND_FLOAT32, 0)
    assert np.float32(below) == np.float32(LARGEST)
    assert number(below) == below
    with np.errstate(over="ignore"):
        assert np.isinf(np.float32(BEYOND_FLOAT32))
    for beyond in (BEYOND_FLOAT32, -BEYOND_FLOAT32, 2**128 - 2**103 - 1, 10**5000, "1e39", math.inf):
        with pytest.raises(Refused, match="must fit a 32-bit float"):
            number(beyond)


@pytest.mark.parametrize("value", [True, False, None, [], {}, b"1", math.nan])
def test_other_things_are_no_numbers(value: object) -> None:
    with pytest.raises(Refused, match="must be a number"):
        number(value)


@pytest.mark.timeout(2)
@pytest.mark.parametrize("text", ["1e999999999", "9" * 1_000_000, "1e" + "9" * 1_000_000])
def test_huge_numbers_are_refused_at_once(text: str) -> None:
    for read in (number, integer):
        with pytest.raises(Refused, match="must fit a 32-bit float"):
            read(text)


@pytest.mark.parametrize("value", [2, 2.0, "2", "2.0", "2e0", " 20e-1 "])
def test_an_integer_may_be_written_with_a_point_or_an_exponent(value: object) -> None:
    assert integer(value) == 2


@pytest.mark.parametrize("value", [2.5, "2.5", "two", "", True, None, math.nan])
def test_an_integer_has_no_fraction(value: object) -> None:
    with pytest.raises(Refused, match="must be an integer"):
        integer(value)


@given(st.integers(min_value=-(10**38), max_value=10**38))
def test_an_integer_means_the_same_as_a_number_and_as_text(value: int) -> None:
    assert integer(value) == integer(str(value)) == integer(float(value))


def test_booleans_are_true_and_false_only() -> None:
    assert boolean(True) is boolean("true") is boolean(" true ") is True
    assert boolean(False) is boolean("false") is False
    for value in ("True", "yes", "1", "", 1, 0, None):
        with pytest.raises(Refused, match="must be true or false"):
            boolean(value)
