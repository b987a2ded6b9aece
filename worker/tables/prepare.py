"""Makes plain data of a file that is packed, or whose text is not UTF-8."""

import codecs
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from typing import NamedTuple

from jobs.errors import InvalidTable
from jobs.files.store import FileStore
from jobs.files.tables import GZIP, ZIP
from jobs.files.unpacking import check_unpacked, gunzip, unzip
from model.tables.dialect import UnclearDialect, find_encoding


class ReceivedFile(NamedTuple):
    """A file as it was sent; `encoding` is the named one, and None for a file that is not text."""

    files: FileStore
    name: str
    encoding: str | None


def plain_pieces(received: ReceivedFile, limit: int, check: Callable[[], None]) -> Iterator[bytes]:
    """The plain file, of at most `limit` bytes, from its beginning.

    Raises InvalidTable, and what `check` raises, which is called before each piece.
    """
    size = 0
    pieces = _unpacked(received)
    if received.encoding is not None:
        pieces = recoded(pieces, received.encoding)
    for piece in pieces:
        check()
        size += len(piece)
        check_unpacked(size, limit)
        yield piece


def recoded(pieces: Iterable[bytes], named: str) -> Iterator[bytes]:
    """The text in UTF-8. Raises InvalidTable with the line of bytes that are not of the encoding."""
    rest = iter(pieces)
    start = next(rest, b"")
    encoding = checked_encoding(start, named)
    if encoding == "utf-8":
        yield from chain((start,), rest)
        return
    decoder, lines = codecs.getincrementaldecoder(encoding)(), 1
    for piece in chain((start,), rest, (b"",)):
        try:
            text = decoder.decode(piece, final=not piece)
        except UnicodeDecodeError as error:
            lines += error.object[: error.start].decode(encoding, errors="replace").count("\n")
            raise InvalidTable(
                f"line {lines}: this is not {encoding}; name the encoding of the file"
            ) from None
        except UnicodeError:  # UTF-16 that does not begin with its mark
            raise InvalidTable(f"this is not {encoding}; name the encoding of the file") from None
        lines += text.count("\n")
        if text:
            yield text.encode()


def checked_encoding(start: bytes, named: str) -> str:
    """The encoding of a text with these first bytes. Raises InvalidTable."""
    try:
        return find_encoding(start, named)
    except UnclearDialect as error:
        raise InvalidTable(str(error)) from None


def _unpacked(received: ReceivedFile) -> Iterator[bytes]:
    start = next(received.files.pieces(received.name, 0, len(ZIP)), b"")
    if start == ZIP:
        with received.files.open(received.name) as file:
            yield from unzip(file, received.files.size(received.name))
    elif start.startswith(GZIP):
        yield from gunzip(received.files.pieces(received.name))
    else:
        yield from received.files.pieces(received.name)
