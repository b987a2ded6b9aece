"""Reads texts of plain numbers with pyarrow, and tells which texts need a closer look."""

from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Bytes: TypeAlias = NDArray[np.uint8]
Mask: TypeAlias = NDArray[np.bool_]
Positions: TypeAlias = NDArray[Any]

MINUS, ZERO, E = (ord(character) for character in "-0e")
LOWER_CASE = 0x20

# Where each byte may occur.
INVALID, PLAIN, EXPONENT = 0, 1, 2  # nowhere, anywhere in a number, only around an exponent
_KINDS = np.zeros(256, dtype=np.uint8)
_KINDS[list(b"0123456789.")] = PLAIN
_KINDS[list(b"eE+-")] = EXPONENT


def read_numbers(array: pa.Array) -> tuple[NDArray[np.float64], Mask]:
    """Return the nearest doubles, and which of them must be read one by one.

    The array is of type binary or large_binary.
    """
    starts, data = _offsets_and_bytes(array)
    unsure = _unusual_ends(starts, data)
    if array.null_count:
        unsure |= array.is_null().to_numpy(zero_copy_only=False)
    if not (data == E).any() and not (data == ord("E")).any():
        try:
            return _cast(array, unsure), unsure
        except pa.ArrowInvalid:
            pass
    unsure[_unusual_rows(starts, data)] = True
    try:
        return _cast(array, unsure), unsure
    except pa.ArrowInvalid:  # such as 1.2.3, which has two points
        return np.full(len(array), np.nan), np.ones(len(array), dtype=bool)


def _offsets_and_bytes(array: pa.Array) -> tuple[Positions, Bytes]:
    """Return where each text starts and the last one ends, and the bytes of all texts."""
    if not len(array):
        return np.zeros(1, np.int64), np.zeros(0, np.uint8)
    width = np.int64 if pa.types.is_large_binary(array.type) else np.int32
    _, offsets, values = array.buffers()
    starts: Positions = np.frombuffer(offsets, width)[array.offset : array.offset + len(array) + 1]
    data = np.frombuffer(values or b"", np.uint8)[starts[0] : starts[-1]]
    return (starts - starts[0] if starts[0] else starts), data


def _unusual_ends(starts: Positions, data: Bytes) -> Mask:
    """Find texts that do not start (after a sign) and end with a digit, or have a leading zero."""
    begins, ends = starts[:-1], starts[1:]
    if not data.size:
        return np.ones(begins.size, dtype=bool)
    first = data.take(begins, mode="clip")
    signed = first == MINUS
    if signed.any():
        begins = begins + signed
        first = data.take(begins, mode="clip")
    unusual: Mask = (begins >= ends) | ~_is_digit(first) | ~_is_digit(data.take(ends - 1, mode="clip"))
    zero = first == ZERO
    if zero.any():
        unusual |= zero & _is_digit(data.take(begins + 1, mode="clip")) & (begins + 1 < ends)
    return unusual


def _unusual_rows(starts: Positions, data: Bytes) -> Positions:
    """Find rows with an invalid byte, a point before the exponent, or a sign in the wrong position."""
    kinds = _KINDS[data]
    begins = starts[:-1][starts[:-1] < starts[1:]]
    kinds[begins[data[begins] == MINUS]] = PLAIN
    special = np.flatnonzero(kinds != PLAIN)
    byte, before = data[special], data[special - (special > 0)]
    exponent = byte | LOWER_CASE == E
    wrong = kinds[special] == INVALID
    wrong |= exponent & ~_is_digit(before)
    wrong |= ~exponent & (before | LOWER_CASE != E)
    rows: Positions = np.searchsorted(starts, special[wrong], side="right") - 1
    return rows


def _is_digit(byte: Bytes) -> Mask:
    digit: Mask = np.less(byte - np.uint8(ZERO), 10)
    return digit


def _cast(array: pa.Array, unsure: Mask) -> NDArray[np.float64]:
    """Convert with pyarrow, which rounds correctly; texts that are not plain become 0."""
    kind = pa.large_string() if pa.types.is_large_binary(array.type) else pa.string()
    buffers = [None, *array.buffers()[1:]]
    if unsure.any():
        hidden = np.concatenate([np.ones(array.offset, dtype=bool), unsure])
        buffers[0] = pa.array(~hidden).buffers()[1]
    texts = pa.Array.from_buffers(kind, len(array), buffers, offset=array.offset)
    numbers: NDArray[np.float64] = texts.cast(pa.float64()).fill_null(0).to_numpy()
    return numbers
