"""The elements of a tensor as bytes: little-endian, row by row, without padding."""

import struct
from collections.abc import Iterator, Sequence
from typing import Any

CODES = {
    "BOOL": "?",
    "UINT8": "B",
    "UINT16": "H",
    "UINT32": "I",
    "UINT64": "Q",
    "INT8": "b",
    "INT16": "h",
    "INT32": "i",
    "INT64": "q",
    "FP16": "e",
    "FP32": "f",
    "FP64": "d",
}
"""The format character of each datatype of a fixed size, as in the module struct."""
BYTES = "BYTES"
DATATYPES = (*CODES, BYTES)

_LENGTH = struct.Struct("<I")


def decode(datatype: str, data: bytes, count: int) -> list[Any]:
    """Reads `count` elements; NaN becomes None. Raises ValueError if the bytes hold anything else."""
    if datatype == BYTES:
        texts = list(_texts(data))
        if len(texts) != count:
            raise ValueError(f"holds {len(texts)} elements, but its shape has {count}")
        return texts
    size = count * struct.calcsize(f"<{CODES[datatype]}")
    if len(data) != size:
        raise ValueError(f"holds {len(data)} bytes, but its shape and datatype need {size}")
    elements = struct.unpack(f"<{count}{CODES[datatype]}", data)
    return [None if element != element else element for element in elements]


def encode(datatype: str, elements: Sequence[Any]) -> bytes:
    """The inverse of `decode`."""
    if datatype == BYTES:
        texts = [element.encode() for element in elements]
        return b"".join(_LENGTH.pack(len(text)) + text for text in texts)
    return struct.pack(f"<{len(elements)}{CODES[datatype]}", *elements)


def _texts(data: bytes) -> Iterator[str]:
    """Each text is its length in four bytes, followed by UTF-8."""
    end = 0
    while end < len(data):
        start = end + _LENGTH.size
        if start > len(data):
            raise ValueError("ends within the length of an element")
        end = start + _LENGTH.unpack_from(data, end)[0]
        if end > len(data):
            raise ValueError("ends within an element")
        try:
            yield data[start:end].decode()
        except UnicodeDecodeError:
            raise ValueError("holds an element that is not UTF-8") from None
