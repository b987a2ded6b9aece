"""Gzip, unpacked as it comes."""

import zlib
from collections.abc import Iterable, Iterator

from jobs.errors import InvalidGzip
from jobs.files.store import PIECE

MAGIC = b"\x1f\x8b"
"""What gzip begins with, and no table does."""
_GZIP = 31
"""What zlib calls a gzip stream."""


def gunzip(pieces: Iterable[bytes]) -> Iterator[bytes]:
    """At most PIECE bytes at a time, whatever it becomes. Raises InvalidGzip."""
    stream = zlib.decompressobj(_GZIP)
    begun = False
    try:
        for packed in pieces:
            while packed:
                if stream.eof:
                    stream = zlib.decompressobj(_GZIP)  # a file may be several streams
                begun = True
                if unpacked := stream.decompress(packed, PIECE):
                    yield unpacked
                packed = stream.unused_data if stream.eof else stream.unconsumed_tail
    except zlib.error:
        raise InvalidGzip("what was sent is not gzip") from None
    if begun and not stream.eof:
        raise InvalidGzip("the gzip stream is cut off")
