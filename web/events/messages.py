"""What a message of the queue wants: the batch to post, and the key by which a doubled message is known.

Messages are events of S3, as EventBridge passes them on, and those of our own kind, as a schedule sends them.
"""

import hashlib
from typing import Any, Literal, NamedTuple

from pydantic import BaseModel, Field, TypeAdapter, ValidationError

from web.input_files import has_wildcard, is_hidden

INPUT, OUTPUT = "input/", "output/"
"""The folders of the bucket: files that are to be scored, and their results."""
MOST_METADATA = 512
"""Characters of a value."""


class NotABatch(Exception):
    """This message can never become a batch; the exception says why."""


class WantedBatch(NamedTuple):
    """`body` is that of POST /v1/batches; `mark` is the same for each copy of the message."""

    mark: str
    body: dict[str, Any]


class FileVersion(NamedTuple):
    """A version of an object in S3, by its ETag."""

    mark: str
    bucket: str
    key: str
    etag: str

    def batch(self, key: str) -> WantedBatch:
        """Scores the file, which is found under this key.

        input/MODEL/… is scored by this model, and a file right below input/ by the default model.
        """
        path = key.removeprefix(INPUT)
        source, output = f"s3://{self.bucket}/{key}", f"s3://{self.bucket}/{OUTPUT}{path}"
        model, folder, _ = path.partition("/")
        metadata = {"input": source, "output": output}
        body = {
            **({"model": model} if folder else {}),
            "input": source,
            "output": output,
            "metadata": {name: value for name, value in metadata.items() if len(value) <= MOST_METADATA},
        }
        return WantedBatch(self.mark, body)


class _Bucket(BaseModel):
    name: str


class _Object(BaseModel):
    key: str
    etag: str
    version_id: str = Field("", alias="version-id")
    sequencer: str = ""


class _Detail(BaseModel):
    bucket: _Bucket
    object: _Object


class _FileCreated(BaseModel):
    """https://docs.aws.amazon.com/AmazonS3/latest/userguide/ev-events.html"""

    source: Literal["aws.s3"]
    detail_type: Literal["Object Created"] = Field(alias="detail-type")
    detail: _Detail


class _OwnMessage(BaseModel):
    """`key` is the same in each copy of the message, and in no other."""

    paygrade: Literal["batch"]
    key: str = Field(min_length=1, max_length=1_024)
    batch: dict[str, Any]


_MESSAGES: TypeAdapter[_FileCreated | _OwnMessage] = TypeAdapter(_FileCreated | _OwnMessage)


def read_message(body: str) -> FileVersion | WantedBatch | None:
    """None for a message that wants nothing: that of a folder, or of a hidden file. Raises NotABatch."""
    try:
        message = _MESSAGES.validate_json(body)
    except ValidationError:
        raise NotABatch("it is neither an event of S3 about a new object nor a message of ours") from None
    if isinstance(message, _OwnMessage):
        if message.batch.get("dry_run"):
            raise NotABatch("a dry run answers its caller, and a message has none")
        return WantedBatch(_mark_of("message", message.key), message.batch)
    bucket, created = message.detail.bucket.name, message.detail.object
    if not created.key.startswith(INPUT):
        raise NotABatch(f"the object is not below {INPUT}")
    if created.key.endswith("/") or is_hidden(created.key):
        return None
    if has_wildcard(created.key):
        raise NotABatch("the name of the file has *, ? or [, so that a batch would take it for a glob")
    version = created.version_id or f"{created.etag} {created.sequencer}"
    return FileVersion(_mark_of("file", bucket, created.key, version), bucket, created.key, created.etag)


def _mark_of(*parts: str) -> str:
    """A key that is the same for the same parts; it serves as an Idempotency-Key, too."""
    return hashlib.sha256("\n".join(parts).encode(errors="surrogatepass")).hexdigest()
