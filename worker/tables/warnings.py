"""The warnings of rows that have values outside what training saw."""

from collections.abc import Callable
from typing import TypeAlias

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from model.bundle import ObservedRanges

Warn: TypeAlias = Callable[[NDArray[np.float32]], pa.Array]
"""Returns a text for each row, null for a row without warnings."""


def warn_by(observed: ObservedRanges) -> Warn:
    return lambda matrix: _texts(observed, matrix)


def _texts(observed: ObservedRanges, matrix: NDArray[np.float32]) -> pa.Array:
    outside = observed.outside(matrix)
    if outside is None:
        return pa.nulls(len(matrix), pa.string())
    # Most rows are outside in the same few ways, so each way is worded once.
    packed = np.packbits(outside, axis=1)
    bits, buffers = pa.binary(packed.shape[1]), [None, pa.py_buffer(packed)]
    ways = pa.Array.from_buffers(bits, len(packed), buffers).dictionary_encode()
    texts = [_text(observed, way, outside.shape[1]) for way in ways.dictionary.to_pylist()]
    return pa.array(texts, pa.string()).take(ways.indices)


def _text(observed: ObservedRanges, packed: bytes, checks: int) -> str | None:
    bits = np.unpackbits(np.frombuffer(packed, np.uint8), count=checks)
    return "; ".join(observed.sentences(np.flatnonzero(bits))) or None
