"""Files in bodies: one that a request has, as its body or a part of it, and one that a response sends."""

import re
import zlib
from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

import gevent
from flask import Request
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from jobs.files.store import PIECE
from jobs.files.tables import MEDIA_TYPES, Format
from jobs.files.unpacking import check_unpacked, gunzip, unpacked_limit
from web.app import JsonResponse
from web.batch_submission import OutputFile
from web.errors import FileTooLong
from web.media_types import MULTIPART
from web.problems import Problem
from web.requests import ApiRequest

if TYPE_CHECKING:
    from werkzeug.sansio.multipart import Event

START_BYTES = 256 * 1024
"""So many first bytes of a file are checked before it is accepted."""
_MOST_FIELDS = 50
_LONGEST_FIELD = 64 * 1024
_BUFFER = 4 * PIECE
"""Bytes of the decoder's buffer; the headers of a part must fit."""
_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")
_GZIP_FORMAT = 31
_FASTEST = 1
_ORDER = "put every field before the file, or in the query"


class UploadedFile:
    """A file that arrives in pieces, without a Content-Encoding.

    `fields` are the fields of a multipart body before the file.
    """

    def __init__(
        self,
        pieces: Iterator[bytes],
        media_type: str,
        charset: str = "",
        name: str = "",
        fields: dict[str, str] | None = None,
    ) -> None:
        self.media_type = media_type
        self.charset = charset
        self.name = name
        self.fields = fields or {}
        self._rest = pieces
        self._first: list[bytes] = []

    def read_start(self) -> bytes:
        """Reads the first bytes, as sent; they stay a part of the file."""
        while sum(map(len, self._first)) < START_BYTES and (piece := next(self._rest, b"")):
            self._first.append(piece)
        return b"".join(self._first)

    def read(self, limit: int) -> bytes:
        """The whole body. Raises FileTooLong."""
        size, pieces = 0, []
        for piece in self:
            size += len(piece)
            if size > limit:
                raise FileTooLong(limit)
            pieces.append(piece)
        return b"".join(pieces)

    def __iter__(self) -> Iterator[bytes]:
        return chain(self._first, self._rest)


def open_upload(request: ApiRequest, limit: int) -> UploadedFile:
    """Raises FileTooLong, TooManyBodies, and Problem: 400 if cut off, 415 for an encoding.

    Reading what is packed raises InvalidGzip and OverLimit.
    """
    length = request.length
    if length is not None and length > limit:
        raise FileTooLong(limit)
    request.hold(START_BYTES if length is None else min(length, START_BYTES))
    pieces = _decompressed(request, request.bodies.pieces(request.environ, length))
    if request.mimetype != MULTIPART:
        return UploadedFile(pieces, request.mimetype, request.mimetype_params.get("charset", ""))
    boundary = request.mimetype_params.get("boundary", "")
    if not boundary:
        raise _not_multipart("the multipart body has no boundary in its Content-Type")
    return _open_part(_events(pieces, boundary))


def _decompressed(request: ApiRequest, pieces: Iterator[bytes]) -> Iterator[bytes]:
    encoding = request.headers.get("Content-Encoding", "identity").lower()
    if encoding == "identity":
        return pieces
    if encoding in ("gzip", "x-gzip"):
        return _gunzipped(pieces)
    raise Problem(
        415,
        f"the Content-Encoding is {encoding[:64]}; send the file as it is, or with Content-Encoding: gzip",
    )


def _gunzipped(pieces: Iterator[bytes]) -> Iterator[bytes]:
    """Raises OverLimit if what is unpacked is out of proportion to what was sent."""
    sent = unpacked = 0

    def counted() -> Iterator[bytes]:
        nonlocal sent
        for piece in pieces:
            sent += len(piece)
            yield piece

    for piece in gunzip(counted()):
        unpacked += len(piece)
        check_unpacked(unpacked, unpacked_limit(sent))
        yield piece
        gevent.sleep(0)  # what arrives fast may unpack to much


def _events(pieces: Iterator[bytes], boundary: str) -> Iterator["Event"]:
    """The parts of a multipart body as they arrive. Raises Problem (400)."""
    decoder = MultipartDecoder(boundary.encode(), _BUFFER, max_parts=_MOST_FIELDS)
    ended = False
    try:
        while not isinstance(event := decoder.next_event(), Epilogue):
            if not isinstance(event, NeedData):
                yield event
            elif ended:
                raise _not_multipart("the multipart body ends without its last boundary; send it again")
            else:
                piece = next(pieces, None)
                ended = piece is None
                decoder.receive_data(piece)
    except ValueError:
        raise _not_multipart("the body is not multipart/form-data, or is cut off") from None
    except RequestEntityTooLarge:
        raise Problem(413, f"the multipart body has over {_MOST_FIELDS} parts, or long headers") from None


def _open_part(events: Iterator["Event"]) -> UploadedFile:
    fields: dict[str, str] = {}
    for event in events:
        if isinstance(event, File):
            media_type, options = parse_options_header(event.headers.get("Content-Type", ""))
            charset = options.get("charset", "")
            name = event.filename or ""
            return UploadedFile(_contents(events), media_type.lower(), charset, name, fields)
        if isinstance(event, Field):
            fields[event.name or ""] = _field(events)
    raise Problem(422, "the multipart body has no file; send one, as curl -F file=@rows.csv does")


def _field(events: Iterator["Event"]) -> str:
    value = b""
    for event in events:
        if isinstance(event, Data):
            value += event.data
            if len(value) > _LONGEST_FIELD:
                raise Problem(413, f"a field of the multipart body has more than {_LONGEST_FIELD} bytes")
            if not event.more_data:
                break
    return value.decode(errors="replace")


def _contents(events: Iterator["Event"]) -> Iterator[bytes]:
    """The data of the file, which must be the last part."""
    for event in events:
        if not isinstance(event, Data):
            raise Problem(422, f"the multipart body goes on after the file; send one file, and {_ORDER}")
        if event.data:
            yield bytes(event.data)


def _not_multipart(detail: str) -> Problem:
    return Problem(400, detail, reason="not_multipart")


def send_stored_file(request: ApiRequest, file: OutputFile, direct: bool = False) -> JsonResponse:
    """If it is `direct`, redirects to the file store where that can be reached.

    Raises Problem: 406 if Accept excludes the media type, 416 for a range outside of the file.
    """
    media_type = file.media_type
    if not request.accept_mimetypes[media_type] and request.headers.get("Accept"):
        raise Problem(
            406, f"the file is {media_type}, as chosen when the batch was posted; accept that media type"
        )
    headers = {
        "ETag": f'"{file.sent_as.rpartition(".")[0]}"',
        "Accept-Ranges": "bytes",
        "Vary": "Accept-Encoding",
        "Cache-Control": "no-store",
        "Content-Disposition": f'attachment; filename="{file.sent_as}"',
    }
    span = _requested_range(request, file.size, headers["ETag"])
    if direct and file.files.direct and request.method == "GET" and not request.is_for_page:
        address = file.files.direct.address_of(file.name, media_type, file.sent_as)
        return JsonResponse(status=307, headers={"Location": address, "Cache-Control": "no-store"})
    if span is None and request.accept_encodings["gzip"] and media_type != MEDIA_TYPES[Format.PARQUET]:
        headers["Content-Encoding"] = "gzip"
        return JsonResponse(_compressed(file.files.pieces(file.name)), 200, headers, content_type=media_type)
    start, end = span or (0, file.size)
    if span:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{file.size}"
    headers["Content-Length"] = str(end - start)
    pieces: Iterator[bytes] = (
        iter(()) if request.method == "HEAD" else file.files.pieces(file.name, start, end)
    )
    return JsonResponse(pieces, 206 if span else 200, headers, content_type=media_type)


def _requested_range(request: Request, size: int, tag: str) -> tuple[int, int] | None:
    """Start and end; None for the whole file, also where several ranges are requested."""
    match = _RANGE.fullmatch(request.headers.get("Range", "").replace(" ", ""))
    if not match or not (match[1] or match[2]) or request.headers.get("If-Range", tag) != tag:
        return None
    if match[1]:
        start, end = int(match[1]), min(int(match[2] or size) + 1, size)
    else:
        start, end = max(size - int(match[2]), 0), size
    if start >= end:
        raise Problem(
            416,
            f"the range is outside of the file, which has {size} bytes",
            headers={"Content-Range": f"bytes */{size}"},
        )
    return start, end


def _compressed(pieces: Iterator[bytes]) -> Iterator[bytes]:
    compressor = zlib.compressobj(_FASTEST, wbits=_GZIP_FORMAT)
    for piece in pieces:
        if compressed := compressor.compress(piece):
            yield compressed
    yield compressor.flush()
