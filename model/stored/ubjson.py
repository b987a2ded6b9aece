"""Reads UBJSON as XGBoost writes it: nothing is taken from beyond the file, whatever its lengths say."""

from collections.abc import Callable
from struct import Struct, error
from typing import Any

import numpy as np

from model.stored.errors import MAX_DEPTH, Malformed

Read = tuple[Any, int]
"""A value, and the position after it."""

SIZE = Struct(">cq")
"""A length, after the marker of its type, which is always L."""
OBJECT_END = ord("}")
CONSTANTS = {ord("Z"): None, ord("T"): True, ord("F"): False}
NUMBERS = {
    ord(marker): Struct(f">{form}")
    for marker, form in {"i": "b", "U": "B", "I": "h", "l": "i", "L": "q", "d": "f", "D": "d"}.items()
}
ARRAYS = {
    f"[${marker}#".encode(): np.dtype(form)
    for marker, form in {
        "i": "i1",
        "U": "u1",
        "I": ">i2",
        "l": ">i4",
        "L": ">i8",
        "d": ">f4",
        "D": ">f8",
    }.items()
}
"""The types of arrays, by how such an array begins."""
TYPED = len("[$l#")


def read_ubjson(content: bytes) -> Any:
    """Return what the file holds, with NumPy's arrays for typed ones; raises Malformed."""
    try:
        value, end = _value(content, 0, 0)
    except (IndexError, error, UnicodeDecodeError):
        raise Malformed("it ends too early, or has bytes where a text belongs") from None
    if end != len(content):
        raise Malformed(f"{len(content) - end} bytes follow its end")
    return value


def _value(content: bytes, at: int, depth: int) -> Read:
    if dtype := ARRAYS.get(content[at : at + TYPED]):
        start, count = _size(content, at + TYPED, dtype.itemsize)
        return np.frombuffer(content, dtype, count, start), start + count * dtype.itemsize
    marker = content[at]
    if read := READERS.get(marker):
        if depth == MAX_DEPTH:
            raise Malformed(f"it is nested deeper than {MAX_DEPTH} levels")
        return read(content, at + 1, depth + 1)
    if number := NUMBERS.get(marker):
        return number.unpack_from(content, at + 1)[0], at + 1 + number.size
    if marker in CONSTANTS:
        return CONSTANTS[marker], at + 1
    raise Malformed(f"no value begins at byte {at}")


def _object(content: bytes, at: int, depth: int) -> Read:
    members: dict[str, Any] = {}
    while content[at] != OBJECT_END:
        start, length = _size(content, at, 1)
        at = start + length
        name = content[start:at].decode()
        if name in members:
            raise Malformed(f"the member {name[:40]!r} is there twice")
        members[name], at = _value(content, at, depth)
    return members, at + 1


def _list(content: bytes, at: int, depth: int) -> Read:
    if content[at] != ord("#"):
        raise Malformed(f"the array at byte {at} has no length, or a type that XGBoost does not write")
    at, count = _size(content, at + 1, 1)
    values = []
    for _ in range(count):
        value, at = _value(content, at, depth)
        values.append(value)
    return values, at


def _text(content: bytes, at: int, _depth: int) -> Read:
    start, length = _size(content, at, 1)
    return content[start : start + length].decode(), start + length


def _size(content: bytes, at: int, size: int) -> tuple[int, int]:
    """Return where something begins whose length is here, and how many items it has, of `size` bytes each."""
    marker, count = SIZE.unpack_from(content, at)
    start = at + SIZE.size
    if marker != b"L" or not 0 <= count <= (len(content) - start) // size:
        raise Malformed(f"the length at byte {at} is none, or leads beyond the end")
    return start, count


READERS: dict[int, Callable[[bytes, int, int], Read]] = {ord("{"): _object, ord("["): _list, ord("S"): _text}
