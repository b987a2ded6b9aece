"""A number that is passed through keeps its form; one that is scored has its value."""

import json
import math

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.files.json_lines import plain_number, read_object, write_exactly

NUMBERS = [
    "18446744073709551616",
    "-9223372036854775809",
    "1E400",
    "1.10",
    "0.1234567890123456789",
    "12345678901.123456789",
    "1e5",
    "1.5E-07",
    "-0",
    "9" * 401,
    "100.0",
    "0.30000000000000004",
    "2.5",
    "7",
]


def written(line: str) -> str:
    row = read_object(line.encode())
    assert row is not None
    return orjson.dumps(row, default=write_exactly).decode()


@pytest.mark.parametrize("number", NUMBERS)
def test_numbers_are_written_as_they_were_read(number: str) -> None:
    for line in (f'{{"id":{number},"x":1}}', f'{{"id":[{{"a":{number}}}]}}'):
        assert written(line) == line


@given(st.from_regex(r"-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?", fullmatch=True))
def test_any_number_is_written_as_it_was_read(number: str) -> None:
    assert written(f'{{"id":{number}}}') == f'{{"id":{number}}}'


@pytest.mark.parametrize("number", NUMBERS)
def test_numbers_of_features_have_their_value(number: str) -> None:
    row = read_object(f'{{"years":{number}}}'.encode())
    assert row is not None
    assert plain_number(row["years"]) == (math.inf if len(number) > 400 else json.loads(number))


@pytest.mark.parametrize(
    "line", ["[1]", "1", "{", '{"a":NaN}', '{"a":Infinity,"b":1e5}', '{"a":"\\ud800"}', "[" * 5000]
)
def test_other_lines_are_not_objects(line: str) -> None:
    assert read_object(line.encode()) is None
