"""The resource of an upload."""

from typing import Annotated, Literal

from pydantic import Field
from typing_extensions import TypedDict

from web.openapi.schemas import JOB_ID, Count, Path, Time

UPLOAD_ID = JOB_ID.replace("pred_", "upload_")


class UploadPartSchema(TypedDict):
    """Put the bytes of the file from `offset` on, as many as `size`, to `url`, without a key."""

    number: Annotated[int, Field(ge=1)]
    offset: Count
    size: Annotated[int, Field(ge=1)]
    method: Literal["PUT"]
    url: Annotated[str, Field(pattern="^https?://")]
    headers: dict[str, str]


class UploadUrlsSchema(TypedDict):
    self: Path
    batches: Path


class UploadSchema(TypedDict):
    """A file that its caller sends to the file store; a batch can be posted once no part is missing."""

    id: Annotated[str, Field(pattern=UPLOAD_ID, description="`upload_` and a UUIDv7")]
    object: Literal["upload"]
    size: Annotated[int, Field(ge=1)]
    media_type: str | None
    name: str | None
    crc32: str | None
    created_at: Time
    expires_at: Annotated[Time, Field(description="When the upload expires; until then a batch can use it")]
    missing: Annotated[int, Field(ge=0, description="How many parts have not arrived")]
    parts: Annotated[
        list[UploadPartSchema], Field(description="The next parts that have not arrived; ask again for more")
    ]
    parts_expire_at: Annotated[Time, Field(description="When the addresses of the parts expire")]
    urls: UploadUrlsSchema
