"""Sends a file of the file store: all of it, a range, or packed."""

import re
import zlib
from collections.abc import Iterator

from flask import Request

from jobs.files.tables import MEDIA_TYPES, Format
from web.app import ApiRequest, JsonResponse
from web.batch_submission import OutputFile
from web.problems import Problem

_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")
_GZIP_FORMAT = 31
_FASTEST = 1


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
