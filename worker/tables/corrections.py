"""Corrected rows of a batch, as they were sent: lines of its errors, each with an `input`."""

import sys
from collections.abc import Iterable, Iterator
from typing import Any, NamedTuple

import orjson

from jobs.errors import InvalidTable, OverLimit
from jobs.files.tables import LONGEST_RECORD
from worker.tables.join import ROW


class CorrectedRow(NamedTuple):
    """The number of a row in the table, and its features as a JSON object."""

    row: int
    input: bytes


def read_corrections(pieces: Iterable[bytes], failed: Iterator[int]) -> Iterator[CorrectedRow]:
    """`failed` are the numbers of the rows that may be corrected, in order, as the lines must be.

    Raises InvalidTable with the line of the first fault.
    """
    next_failed = next(failed, None)
    for number, line in enumerate(_lines(pieces, LONGEST_RECORD), 1):
        if not line.strip():
            continue
        sent = _object(line, number)
        row, given = sent.get("row"), sent.get("input")
        if type(row) is not int or not isinstance(given, dict):
            raise InvalidTable(f"line {number} must have `row`, a whole number, and `input`, an object")
        while next_failed is not None and next_failed < row:
            next_failed = next(failed, None)
        if row != next_failed:
            raise InvalidTable(
                f'line {number}: the row with "row":{row} did not fail, or comes after a later one; '
                "send lines of the errors, in their order"
            )
        next_failed = next(failed, None)
        yield CorrectedRow(row, _written(given, number))


def failed_rows(pieces: Iterable[bytes]) -> Iterator[int]:
    """The rows in an errors file."""
    for line in _lines(pieces):
        yield int(line[len(ROW) :].partition(b",")[0])


def _object(line: bytes, number: int) -> dict[str, Any]:
    try:
        sent = orjson.loads(line)
    except orjson.JSONDecodeError:
        sent = None
    if not isinstance(sent, dict):
        raise InvalidTable(f"line {number} is not a JSON object")
    return sent


def _written(given: dict[str, Any], number: int) -> bytes:
    try:
        return orjson.dumps(given)
    except orjson.JSONEncodeError:
        raise InvalidTable(f"line {number}: `input` is nested too deeply; rows are flat objects") from None


def _lines(pieces: Iterable[bytes], longest: int = sys.maxsize) -> Iterator[bytes]:
    """Raises OverLimit for a line of more than `longest` bytes."""
    rest, number = b"", 0
    for piece in pieces:
        *lines, rest = (rest + piece).split(b"\n")
        yield from lines
        number += len(lines)
        if len(rest) > longest:
            raise OverLimit(f"line {number + 1} is longer than {longest} bytes")
    if rest:
        yield rest
