"""Reads lines of NDJSON without changing any number that is passed through."""

import json
import re
from typing import Any, NoReturn

import orjson

_INEXACT = re.compile(rb"[0-9][0-9.]{16}|\.[0-9]+0(?![0-9])|[0-9][eE][+-]?[0-9]|-0(?![.0-9])")
"""In lines with such text a number may have a form that differs once it is read and written."""
_MOST_DIGITS = 400
"""An integer with more digits is beyond every float, and slow to read."""


class ExactNumber:
    """A number in the form that it was sent in."""

    __slots__ = ("text",)

    def __init__(self, text: str) -> None:
        self.text = text


def read_object(line: bytes) -> dict[str, Any] | None:
    """None if the line is not a JSON object.

    A number is an ExactNumber if it would be written otherwise than it was read.
    """
    try:
        row = orjson.loads(line)
        exact = not _INEXACT.search(line)
    except orjson.JSONDecodeError:
        exact = False
    if not exact:
        try:
            row = _read_exactly(line)
            orjson.dumps(row, default=write_exactly)
        except (ValueError, TypeError, RecursionError):
            return None
    return row if isinstance(row, dict) else None


def plain_number(value: Any) -> Any:
    """The number in an ExactNumber, infinite beyond every float; any other value as it is."""
    if not isinstance(value, ExactNumber):
        return value
    return int(value.text) if _is_integer(value.text) else float(value.text)


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
