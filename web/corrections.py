"""Corrected rows of a batch, as they arrive: an errors file whose lines have an `input`."""

from collections.abc import Iterable, Iterator
from typing import Any

import gevent
import orjson

from jobs.batches.retry import CorrectedRow
from jobs.errors import InvalidTable
from jobs.files.tables import LONGEST_RECORD


def read_corrected(pieces: Iterable[bytes], failed: Iterator[int]) -> Iterator[CorrectedRow]:
    """`failed` are the numbers of the rows that may be corrected, in order, as the lines must be.

    Raises InvalidTable with the line of the first fault.
    """
    next_failed = next(failed, None)
    for number, line in enumerate(_lines(pieces), 1):
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
                f"line {number}: row {row} did not fail, or comes after a later row; "
                "send lines of the errors, in their order"
            )
        next_failed = next(failed, None)
        yield CorrectedRow(row, _written(given, number))


def failed_rows(pieces: Iterable[bytes]) -> Iterator[int]:
    """The rows in an errors file."""
    for line in _lines(pieces):
        yield orjson.loads(line)["row"]


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


def _lines(pieces: Iterable[bytes]) -> Iterator[bytes]:
    rest = b""
    for piece in pieces:
        gevent.sleep(0)  # errors may be long, and other requests go on meanwhile
        *lines, rest = (rest + piece).split(b"\n")
        yield from lines
        if len(rest) > LONGEST_RECORD:
            raise InvalidTable(f"a line is longer than {LONGEST_RECORD} bytes")
    if rest:
        yield rest
