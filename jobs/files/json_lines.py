"""Reads lines of NDJSON without changing any number that is passed through."""

import json
import re
from collections.abc import Container, Iterable
from typing import Any, NoReturn

import orjson

_INEXACT = re.compile(rb"[0-9][0-9.]{16}|\.[0-9]+0(?![0-9])|[0-9][eE][+-]?[0-9]")
"""In lines with such text a number may have a form that differs once it is read and written."""
_NEVER_CHANGED = frozenset({str, int, bool, type(None)})
_MOST_DIGITS = 400
"""An integer with more digits is beyond every float, and slow to read."""


DEEPEST = 250
"""Levels of a row at most: what is nested deeper could be read and not be written."""


class ExactNumber:
    """A number in the form that it was sent in."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


def read_object(line: bytes) -> dict[str, Any] | None:
    """None if the line is not a JSON object. Raises MemoryError."""
    try:
        row = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        if "memory" in error.msg:  # it has no error of its own for that
            raise MemoryError from error
        try:
            row = _read_exactly(line)  # a number that no float can hold is JSON too
            orjson.dumps(row, default=write_exactly)
        except (ValueError, TypeError, RecursionError):
            return None
    return row if isinstance(row, dict) else None


def is_too_deep(row: object, line: bytes) -> bool:
    """Whether a row is nested more than DEEPEST levels deep. Few lines have so many brackets."""
    if len(line) <= 2 * DEEPEST or line.count(b"[") + line.count(b"{") <= DEEPEST:
        return False
    level, depth = [row], 0
    while level:
        depth += 1
        level = [inner for value in level for inner in _inner(value) if isinstance(inner, dict | list)]
    return depth > DEEPEST


def _inner(value: Any) -> Iterable[Any]:
    return value.values() if isinstance(value, dict) else value


def with_exact_numbers(row: dict[str, Any], line: bytes, dropped: Container[str]) -> dict[str, Any]:
    """The row of a line; a number is an ExactNumber if it would be written otherwise than it was read.

    The members in `dropped` are not written. Looking at each number takes long, so most rows are not read
    again: those without fractions, and those whose numbers have a usual form.
    """
    kept = (type(value) for name, value in row.items() if name not in dropped)
    if _NEVER_CHANGED.issuperset(kept) or not _INEXACT.search(line):
        return row
    try:
        exact: dict[str, Any] = _read_exactly(line)
    except RecursionError:
        return row
    return exact


def plain_number(value: Any) -> Any:
    """The number in an ExactNumber, a float beyond 64 bits; any other value as it is."""
    if not isinstance(value, ExactNumber):
        return value
    integer = int(value.text) if _is_integer(value.text) else None
    return integer if integer is not None and -(2**63) <= integer < 2**64 else float(value.text)


def write_exactly(value: object) -> orjson.Fragment:
    """What orjson writes for an ExactNumber."""
    if not isinstance(value, ExactNumber):
        raise TypeError
    return orjson.Fragment(value.text)


def _read_exactly(line: bytes) -> Any:
    return json.loads(line.decode(), parse_constant=_refuse, parse_int=_read_number, parse_float=_read_number)


def _read_number(text: str) -> float | int | ExactNumber:
    number = int(text) if _is_integer(text) else float(text)
    try:
        same = orjson.dumps(number).decode() == text
    except TypeError:  # beyond 64 bits
        same = False
    return number if same else ExactNumber(text)


def _is_integer(text: str) -> bool:
    return len(text) <= _MOST_DIGITS and text.removeprefix("-").isdecimal()


def _refuse(constant: str) -> NoReturn:
    raise ValueError(constant)
