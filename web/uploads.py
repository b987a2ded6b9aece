"""The file in the body of a request: as the body itself, or as a part of a multipart body."""

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

import gevent
from werkzeug.exceptions import RequestEntityTooLarge
from werkzeug.http import parse_options_header
from werkzeug.sansio.multipart import Data, Epilogue, Field, File, MultipartDecoder, NeedData

from jobs.files.store import PIECE
from jobs.files.unpacking import check_unpacked, gunzip, unpacked_limit
from web.app import ApiRequest
from web.errors import FileTooLong
from web.media_types import MULTIPART
from web.problems import Problem

if TYPE_CHECKING:
    from werkzeug.sansio.multipart import Event

START_BYTES = 256 * 1024
"""So many first bytes of a file are checked before it is accepted."""
_MOST_FIELDS = 50
_LONGEST_FIELD = 64 * 1024
_BUFFER = 4 * PIECE
"""Of the decoder; the headers of a part must fit."""
_ORDER = "put every field before the file, or in the query"


class UploadedFile:
    """A file that arrives in pieces, without a Content-Encoding. `start` are its first bytes, as sent.

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

    @property
    def start(self) -> bytes:
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
