"""Unpacks gzip and zip piece by piece."""

import struct
import zlib
from collections.abc import Iterable, Iterator
from io import BufferedReader, RawIOBase
from zipfile import ZIP_DEFLATED, ZIP_STORED, BadZipFile, ZipFile, ZipInfo

from jobs.errors import InvalidGzip, InvalidTable, OverLimit
from jobs.files.store import PIECE
from jobs.files.tables import GZIP

SMALL_UNPACKED = 256 * 1024 * 1024
UNPACKED_PER_BYTE = 200
"""Packed data has at most so many bytes once it is unpacked for each of its own, or SMALL_UNPACKED."""
_GZIP_WINDOW = 31
"""The `wbits` that make zlib read a gzip stream."""
_RAW_WINDOW = -15
_LOCAL_HEADER = struct.Struct("<4sHHHHHIIIHH")
_ENCRYPTED, _SIZE_FOLLOWS = 1, 8
"""Bits of the flags: the second says that the header does not know the size."""
_END, _END_64 = b"PK\x05\x06", b"PK\x06\x06"
_LONGEST_END = 128 * 1024
"""The end of a zip file, which tells the size of its directory, and a comment of at most 64 KiB."""
_LARGEST_DIRECTORY = 1024 * 1024
_READ_AHEAD = 1024 * 1024
_ENCRYPTED_ZIP = "the zip file is encrypted; send it without a password"
_UNASKED = ("__MACOSX/", ".DS_Store")


def check_unpacked(unpacked: int, limit: int) -> None:
    """Raises OverLimit if more bytes than the limit have been unpacked."""
    if unpacked > limit:
        raise OverLimit(f"the file has more than {limit} bytes once it is unpacked; send it in parts")


def unpacked_limit(size: int) -> int:
    """The most bytes that packed data of this size may have once it is unpacked."""
    return max(SMALL_UNPACKED, UNPACKED_PER_BYTE * size)


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


def unzip(file: RawIOBase, size: int) -> Iterator[bytes]:
    """The one file in a zip file, in pieces of at most PIECE bytes. Raises InvalidTable."""
    _check_directory(file, size)
    reader = BufferedReader(file, _READ_AHEAD)
    try:
        with ZipFile(reader) as packed, packed.open(_only_member(packed)) as member:
            while piece := member.read(PIECE):
                yield piece
    except (BadZipFile, EOFError, zlib.error, NotImplementedError):
        raise InvalidTable("the zip file is damaged, or its end is missing") from None
    finally:
        reader.detach()  # the file is its owner's to close


def unpacked_start(start: bytes) -> bytes:
    """The first bytes of what a packed file with these first bytes has, PIECE at most; empty if unknown.

    Raises InvalidTable.
    """
    if start.startswith(GZIP):
        return _start_of_stream(start)
    if len(start) < _LOCAL_HEADER.size:
        return start
    try:
        return _start_of_member(start)
    except zlib.error:
        raise InvalidTable("the zip file is damaged") from None


def _start_of_stream(start: bytes) -> bytes:
    plain = b""
    try:
        for piece in gunzip([start]):
            plain += piece
            if len(plain) >= PIECE:
                break
    except InvalidGzip as error:  # it is cut off here, unless the file is small
        if not plain:
            raise InvalidTable(str(error)) from None
    return plain


def _start_of_member(start: bytes) -> bytes:
    _, _, flags, method, *_, size, _, name_size, extra_size = _LOCAL_HEADER.unpack_from(start)
    at = _LOCAL_HEADER.size
    name, data = start[at : at + name_size], start[at + name_size + extra_size :]
    if name == b"[Content_Types].xml" or name.startswith((b"xl/", b"_rels/")):
        raise InvalidTable("this is a workbook of Excel; save the sheet as CSV")
    if flags & _ENCRYPTED:
        raise InvalidTable(_ENCRYPTED_ZIP)
    if method == ZIP_DEFLATED and not name.endswith(b"/"):
        return zlib.decompressobj(_RAW_WINDOW).decompress(data, PIECE)
    is_file = method == ZIP_STORED and not name.endswith(b"/")
    return data[: min(size, PIECE)] if is_file and not flags & _SIZE_FOLLOWS else b""


def _only_member(packed: ZipFile) -> ZipInfo:
    members = [one for one in packed.infolist() if not one.is_dir() and not _is_unasked(one.filename)]
    if len(members) != 1:
        raise InvalidTable(f"the zip file has {len(members)} files; send one with a single file")
    if members[0].header_offset < 0:
        raise BadZipFile
    if members[0].flag_bits & _ENCRYPTED:
        raise InvalidTable(_ENCRYPTED_ZIP)
    if members[0].compress_type not in (ZIP_STORED, ZIP_DEFLATED):
        raise InvalidTable("the zip file is packed by a rare method; pack it with deflate, or send gzip")
    return members[0]


def _is_unasked(name: str) -> bool:
    return name.startswith(_UNASKED[0]) or name.endswith(_UNASKED[1])


def _check_directory(file: RawIOBase, size: int) -> None:
    """Refuses a directory that would fill the memory, which is read as a whole."""
    file.seek(max(size - _LONGEST_END, 0))
    end = file.read(_LONGEST_END) or b""
    at, at_64 = end.rfind(_END), end.rfind(_END_64)
    directory = int.from_bytes(end[at + 12 : at + 16], "little") if at >= 0 else 0
    if at_64 >= 0:
        directory = max(directory % 0xFFFFFFFF, int.from_bytes(end[at_64 + 40 : at_64 + 48], "little"))
    if directory > _LARGEST_DIRECTORY:
        raise InvalidTable("the zip file has too many files; send one with a single file")
    file.seek(0)
