"""Numbers written as text, read by array, and which of them pyarrow cannot be trusted with.

pyarrow reads more than JSON allows (01, .5, 5., inf), and gives up at the first text that it cannot read.
So texts are looked at by their bytes: what is not plainly a JSON number is left for the check of the feature.
"""

from typing import Any, TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

Bytes: TypeAlias = NDArray[np.uint8]
Mask: TypeAlias = NDArray[np.bool_]
Places: TypeAlias = NDArray[Any]

MINUS, ZERO, E = (ord(one) for one in "-0e")
LOWER = 0x20

# What each byte may be part of.
STRANGE, PLAIN, EXPONENT = 0, 1, 2
_KINDS = np.zeros(256, dtype=np.uint8)
_KINDS[list(b"0123456789.")] = PLAIN
_KINDS[list(b"eE+-")] = EXPONENT


def read_numbers(array: pa.Array) -> tuple[NDArray[np.float64], Mask]:
    """The nearest doubles, and which of them are doubtful. The array is of binary or large_binary."""
    starts, data = _parts(array)
    doubtful = _odd_ends(starts, data)
    if array.null_count:
        doubtful |= array.is_null().to_numpy(zero_copy_only=False)
    if not (data == E).any() and not (data == ord("E")).any():
        try:
            return _cast(array, doubtful), doubtful
        except pa.ArrowInvalid:
            pass
    doubtful[_odd_inside(starts, data)] = True
    try:
        return _cast(array, doubtful), doubtful
    except pa.ArrowInvalid:  # there is a 1.2.3
        return np.full(len(array), np.nan), np.ones(len(array), dtype=bool)


def _parts(array: pa.Array) -> tuple[Places, Bytes]:
    """Where each text starts, and where the last one ends; and the bytes of all of them."""
    if not len(array):
        return np.zeros(1, np.int64), np.zeros(0, np.uint8)
    width = np.int64 if pa.types.is_large_binary(array.type) else np.int32
    _, offsets, values = array.buffers()
    starts: Places = np.frombuffer(offsets, width)[array.offset : array.offset + len(array) + 1]
    data = np.frombuffer(values or b"", np.uint8)[starts[0] : starts[-1]]
    return (starts - starts[0] if starts[0] else starts), data


def _odd_ends(starts: Places, data: Bytes) -> Mask:
    """Texts that begin or end with no digit (a sign apart), or begin with a 0 too many."""
    begins, ends = starts[:-1], starts[1:]
    if not data.size:
        return np.ones(begins.size, dtype=bool)
    first = data.take(begins, mode="clip")
    signed = first == MINUS
    if signed.any():
        begins = begins + signed
        first = data.take(begins, mode="clip")
    odd: Mask = (begins >= ends) | ~_digit(first) | ~_digit(data.take(ends - 1, mode="clip"))
    zero = first == ZERO
    if zero.any():
        odd |= zero & _digit(data.take(begins + 1, mode="clip")) & (begins + 1 < ends)
    return odd


def _odd_inside(starts: Places, data: Bytes) -> Places:
    """Rows with a byte that no number has, a dot before the exponent, or a sign where none may be."""
    kinds = _KINDS[data]
    begins = starts[:-1][starts[:-1] < starts[1:]]
    kinds[begins[data[begins] == MINUS]] = PLAIN
    odd = np.flatnonzero(kinds != PLAIN)
    byte, before = data[odd], data[odd - (odd > 0)]
    exponent = byte | LOWER == E
    wrong = kinds[odd] == STRANGE
    wrong |= exponent & ~_digit(before)
    wrong |= ~exponent & (before | LOWER != E)
    rows: Places = np.searchsorted(starts, odd[wrong], side="right") - 1
    return rows


def _digit(byte: Bytes) -> Mask:
    digit: Mask = np.less(byte - np.uint8(ZERO), 10)
    return digit


def _cast(array: pa.Array, doubtful: Mask) -> NDArray[np.float64]:
    """By pyarrow, which rounds correctly; doubtful texts are hidden from it, and come out as 0."""
    kind = pa.large_string() if pa.types.is_large_binary(array.type) else pa.string()
    buffers = [None, *array.buffers()[1:]]
    if doubtful.any():
        hidden = np.concatenate([np.ones(array.offset, dtype=bool), doubtful])
        buffers[0] = pa.array(~hidden).buffers()[1]
    texts = pa.Array.from_buffers(kind, len(array), buffers, offset=array.offset)
    numbers: NDArray[np.float64] = texts.cast(pa.float64()).fill_null(0).to_numpy()
    return numbers
