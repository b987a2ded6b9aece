"""Unpacks gzip piece by piece."""

import zlib
from collections.abc import Iterable, Iterator

from jobs.errors import InvalidGzip
from jobs.files.store import PIECE

MAGIC = b"\x1f\x8b"
"""The first bytes of gzip. No table begins with them."""
_GZIP_WINDOW = 31
"""The `wbits` that make zlib read a gzip stream."""


def gunzip(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """The unpacked data, in pieces of at most PIECE bytes. Raises InvalidGzip."""
    stream = zlib.decompressobj(_GZIP_WINDOW)
    begun = False
    try:
        for packed in pieces:
            while packed:
                if stream.eof:
                    stream = zlib.decompressobj(_GZIP_WINDOW)  # a file may have several streams
                begun = True
                if unpacked := stream.decompress(packed, PIECE):
                    yield unpacked
                packed = stream.unused_data if stream.eof else stream.unconsumed_tail
    except zlib.error:
        raise InvalidGzip("the data is not gzip") from None
    if begun and not stream.eof:
        raise InvalidGzip("the gzip data is cut off")
