"""A stored file as an answer: whole, in part (Range, RFC 9110), or packed as it leaves."""

import re
import zlib
from collections.abc import Iterator

from flask import Request, Response

from jobs.files.store import FileStore
from web.answer import Answer
from web.problems import Problem

_RANGE = re.compile(r"bytes=([0-9]{0,18})-([0-9]{0,18})")
GZIP = 31
FASTEST = 1


def send_stored(request: Request, files: FileStore, name: str, media_type: str, tag: str) -> Response:
    """Raises FileMissing, and Problem: 406 if the media type is not accepted, 416 for a range outside."""
    if not request.accept_mimetypes[media_type] and request.headers.get("Accept"):
        raise Problem(406, f"this is {media_type}, the format that was fixed at the post; accept that")
    size = files.size(name)
    headers = {
        "ETag": f'"{tag}"',
        "Accept-Ranges": "bytes",
        "Vary": "Accept-Encoding",
        "Cache-Control": "no-store",
    }
    span = _span(request, size, headers["ETag"])
    if span is None and request.accept_encodings["gzip"] and "parquet" not in media_type:
        headers["Content-Encoding"] = "gzip"
        return Answer(_packed(files.pieces(name)), 200, headers, content_type=media_type)
    start, end = span or (0, size)
    if span:
        headers["Content-Range"] = f"bytes {start}-{end - 1}/{size}"
    headers["Content-Length"] = str(end - start)
    pieces: Iterator[bytes] = iter(()) if request.method == "HEAD" else files.pieces(name, start, end)
    return Answer(pieces, 206 if span else 200, headers, content_type=media_type)


def _span(request: Request, size: int, tag: str) -> tuple[int, int] | None:
    """From start to end; None for the whole file. Several ranges at once are answered with the whole too."""
    wanted = request.headers.get("Range", "")
    match = _RANGE.fullmatch(wanted.replace(" ", ""))
    if not match or not (match[1] or match[2]) or request.headers.get("If-Range", tag) != tag:
        return None
    if match[1]:
        start, end = int(match[1]), min(int(match[2] or size) + 1, size)
    else:
        start, end = max(size - int(match[2]), 0), size
    if start >= end:
        raise Problem(416, "the file has no such bytes", headers={"Content-Range": f"bytes */{size}"})
    return start, end


def _packed(pieces: Iterator[bytes]) -> Iterator[bytes]:
    packer = zlib.compressobj(FASTEST, wbits=GZIP)
    for piece in pieces:
        if packed := packer.compress(piece):
            yield packed
    yield packer.flush()
