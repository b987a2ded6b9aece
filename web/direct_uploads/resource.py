"""An upload as its caller sees it."""

import orjson

from jobs import ids
from web.direct_uploads.service import UploadState

PATH = "/v1/uploads"


def path_of(upload_id: str) -> str:
    return f"{PATH}/{upload_id}"


def upload_resource(state: UploadState) -> bytes:
    """As JSON."""
    upload, urls = state.upload, state.signed.urls
    return orjson.dumps(
        {
            "id": upload.id,
            "object": "upload",
            "size": upload.size,
            "media_type": upload.media_type or None,
            "name": upload.name or None,
            "crc32": None if upload.crc32 is None else f"{upload.crc32:08x}",
            "created_at": ids.rfc3339(ids.created_ms(upload.id)),
            "expires_at": ids.rfc3339(state.expires),
            "missing": len(state.missing),
            "parts": [
                {
                    "number": part.number,
                    "offset": part.offset,
                    "size": part.size,
                    "method": "PUT",
                    "url": urls[part.number],
                    "headers": {"Content-Length": str(part.size)},
                }
                for part in state.missing
                if part.number in urls
            ],
            "parts_expire_at": ids.rfc3339(int(state.signed.expires_at * 1000)),
            "urls": {"self": path_of(upload.id), "batches": "/v1/batches"},
        }
    )
