"""A number that is passed through keeps its form; one that is scored has its value."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from jobs.files import json_lines
from jobs.files.json_lines import plain_number, read_object, with_exact_numbers, write_exactly

NUMBERS = [
    "18446744073709551616",
    "-9223372036854775809",
    "1E400",
    "1.10",
    "0.1234567890123456789",
    "12345678901.123456789",
    "1e5",
    "1.5E-07",
    "9" * 401,
    "100.0",
    "0.30000000000000004",
    "2.5",
    "7",
]


def written(line: str) -> str:
    row = read_object(line.encode())
    assert row is not None
    row = with_exact_numbers(row, line.encode(), dropped=())
    return orjson.dumps(row, default=write_exactly).decode()


@pytest.mark.parametrize("number", NUMBERS)
def test_numbers_are_written_as_they_were_read(number: str) -> None:
    for line in (f'{{"id":{number},"x":1}}', f'{{"id":[{{"a":{number}}}]}}'):
        assert written(line) == line


@given(st.from_regex(r"-?(0|[1-9][0-9]{0,25})(\.[0-9]{1,25})?([eE][+-]?[0-9]{1,3})?", fullmatch=True))
def test_any_number_is_written_as_it_was_read(number: str) -> None:
    assert number == "-0" or written(f'{{"id":{number}}}') == f'{{"id":{number}}}'


@pytest.mark.parametrize("number", NUMBERS)
def test_numbers_of_features_have_their_value(number: str) -> None:
    line = f'{{"years":{number},"x":1.10}}'.encode()
    row = read_object(line)
    assert row is not None
    exact = with_exact_numbers(row, line, dropped=("years",))
    assert plain_number(exact["years"]) == plain_number(row["years"]) == float(number)


@pytest.mark.parametrize(
    "line", ["[1]", "1", "{", '{"a":NaN}', '{"a":Infinity,"b":1e5}', '{"a":"\\ud800"}', "[" * 5000]
)
def test_other_lines_are_not_objects(line: str) -> None:
    assert read_object(line.encode()) is None


class Looks:
    """Stands for the pattern, and counts its searches."""

    number = 0

    def search(self, _: bytes) -> None:
        self.number += 1


def test_a_line_is_looked_at_once_however_many_members_it_has(monkeypatch: pytest.MonkeyPatch) -> None:
    looks = Looks()
    monkeypatch.setattr(json_lines, "_INEXACT", looks)
    line = orjson.dumps({f"m{number}": 2.5 for number in range(100)})
    row = read_object(line)
    assert row is not None
    assert with_exact_numbers(row, line, dropped=()) == row
    assert looks.number == 1
