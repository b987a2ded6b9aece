"""A file store in S3: a file is put in one request, or uploaded in parts while it is written.

Import this module only where files are in S3, as s3_client.py says.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from io import SEEK_CUR, SEEK_END, SEEK_SET, RawIOBase
from typing import Any

from jobs.errors import FileMissing, FilesForbidden
from jobs.files.direct import DirectFiles
from jobs.files.s3_client import client, named_errors
from jobs.files.s3_direct import S3Direct
from jobs.files.store import PIECE, Draft, FileStore, Reserve, Writable

PART = 16 * 1024 * 1024
"""Bytes of a part. S3 allows 10,000 parts, so a file may have 156 GiB."""


class S3Files(FileStore):
    """`location` is s3://BUCKET/PREFIX. boto3 finds the credentials and the region.

    With `version`, an ETag, files of another one are refused with FilesForbidden. If the `size` of this
    version is known, too, S3 is not asked for it.
    """

    def __init__(self, location: str, version: str = "", size: int | None = None) -> None:
        self._version = version
        self._size = size
        self.bucket, _, prefix = location.removeprefix("s3://").partition("/")
        self._prefix = prefix.rstrip("/") + "/" if prefix.strip("/") else ""

    def _key(self, name: str) -> str:
        return self._prefix + name

    @property
    def direct(self) -> DirectFiles:
        return S3Direct(self.bucket, self._prefix)

    @contextmanager
    def create(self, name: str) -> Iterator[Writable]:
        upload = S3Draft(self.bucket, self._key(name))
        try:
            yield upload
            upload.finish()
        except BaseException:
            upload.abort()
            raise

    def disk(self) -> None:
        """S3 has no end."""

    def check_room(self, reserve: Reserve) -> None:
        """There is always room."""

    def draft(self, name: str, state: str = "", at: int = 0) -> Draft:
        return S3Draft(self.bucket, self._key(name), state)

    def open(self, name: str) -> RawIOBase:
        return self._reader(name)

    def _reader(self, name: str) -> "_ObjectReader":
        return _ObjectReader(self.bucket, self._key(name), self._version, self._size)

    def size(self, name: str) -> int:
        return self._reader(name).size

    def size_and_version(self, name: str) -> tuple[int, str]:
        reader = self._reader(name)
        return reader.size, reader.etag

    def sizes(self, folder: str) -> dict[str, int]:
        with named_errors(self.bucket):
            pages = self._pages("list_objects_v2", folder.rstrip("/") + "/")
            found = [each for page in pages for each in page.get("Contents", ())]
        return {each["Key"].removeprefix(self._prefix): each["Size"] for each in found}

    def objects(self, beginning: str) -> Iterator[tuple[str, int, str]]:
        """The name, the size and the version of each file whose name begins so, in the order of names."""
        with named_errors(self.bucket):
            for page in self._pages("list_objects_v2", beginning):
                for found in page.get("Contents", ()):
                    yield found["Key"].removeprefix(self._prefix), found["Size"], found["ETag"]

    def read(self, name: str) -> bytes:
        return b"".join(self.pieces(name))

    def pieces(self, name: str, start: int = 0, end: int | None = None) -> Iterator[bytes]:
        """In one request, where each read of `open` is a request."""
        with named_errors(self.bucket):
            reader = self._reader(name)
            end = reader.size if end is None else min(end, reader.size)
            if start < end:
                byte_range = f"bytes={start}-{end - 1}"
                answer = client().get_object(Range=byte_range, IfMatch=reader.etag, **reader.where)
                yield from answer["Body"].iter_chunks(PIECE)

    def remove(self, folder: str) -> None:
        with named_errors(self.bucket):
            for page in self._pages("list_objects_v2", folder.rstrip("/") + "/"):
                keys = [{"Key": found["Key"]} for found in page.get("Contents", ())]
                if keys:
                    client().delete_objects(Bucket=self.bucket, Delete={"Objects": keys, "Quiet": True})

    def remove_file(self, name: str) -> None:
        with named_errors(self.bucket):
            client().delete_object(Bucket=self.bucket, Key=self._key(name))

    def folders(self, folder: str) -> Iterator[str]:
        prefix = folder.rstrip("/") + "/"
        with named_errors(self.bucket):
            for page in self._pages("list_objects_v2", prefix, Delimiter="/"):
                for found in page.get("CommonPrefixes", ()):
                    yield found["Prefix"].removeprefix(self._key(prefix)).rstrip("/")

    def remove_drafts(self, older_than_seconds: float) -> None:
        before = datetime.now(UTC) - timedelta(seconds=older_than_seconds)
        with named_errors(self.bucket):
            for page in self._pages("list_multipart_uploads", ""):
                for found in page.get("Uploads", ()):
                    if found["Initiated"] < before:
                        client().abort_multipart_upload(
                            Bucket=self.bucket, Key=found["Key"], UploadId=found["UploadId"]
                        )

    def _pages(self, call: str, prefix: str, **more: str) -> Any:
        pages = client().get_paginator(call)
        return pages.paginate(Bucket=self.bucket, Prefix=self._key(prefix), **more)


class S3Draft(Draft):
    """Puts a short file in one request, and uploads a long one in parts of PART bytes.

    `upload` is the id of an upload to go on with. What is not a whole part yet is not durable.
    """

    def __init__(self, bucket: str, key: str, upload: str = "") -> None:
        self._where = {"Bucket": bucket, "Key": key}
        self._bucket = bucket
        self._buffer = bytearray()
        self._upload = upload
        self._parts: list[dict[str, Any]] = []
        if upload:
            self._find_parts()
        self.at = PART * len(self._parts)

    def write(self, data: bytes | memoryview) -> None:
        self._buffer += data
        self.at += len(data)
        while len(self._buffer) >= PART:
            self._send(bytes(self._buffer[:PART]))
            del self._buffer[:PART]

    def save(self) -> tuple[str, int]:
        return self._upload, PART * len(self._parts)

    def finish(self) -> str:
        if not self._upload:
            with named_errors(self._bucket):
                return str(client().put_object(Body=bytes(self._buffer), **self._where)["ETag"])
        if self._buffer:
            self._send(bytes(self._buffer))
        with named_errors(self._bucket):
            ended = client().complete_multipart_upload(
                UploadId=self._upload, MultipartUpload={"Parts": self._parts}, **self._where
            )
        return str(ended["ETag"])

    def abort(self) -> None:
        if self._upload:
            with named_errors(self._bucket):
                client().abort_multipart_upload(UploadId=self._upload, **self._where)

    def close(self) -> None:
        """Does nothing: the upload waits for the next process."""

    def _find_parts(self) -> None:
        """The parts that were sent; none, and a new upload, if the upload is gone."""
        try:
            with named_errors(self._bucket):
                pages = client().get_paginator("list_parts").paginate(UploadId=self._upload, **self._where)
                sent = [part for page in pages for part in page.get("Parts", ())]
        except FileMissing:
            self._upload = ""
            return
        for number, part in enumerate(sent, start=1):
            if (part["PartNumber"], part["Size"]) != (number, PART):
                return
            self._parts.append({"PartNumber": number, "ETag": part["ETag"]})

    def _send(self, data: bytes) -> None:
        with named_errors(self._bucket):
            if not self._upload:
                self._upload = client().create_multipart_upload(**self._where)["UploadId"]
            number = len(self._parts) + 1
            sent = client().upload_part(Body=data, PartNumber=number, UploadId=self._upload, **self._where)
        self._parts.append({"PartNumber": number, "ETag": sent["ETag"]})


class _ObjectReader(RawIOBase):
    """Reads one version of an object: the given one, or that which is there now.

    Raises FilesForbidden once the object has changed.
    """

    def __init__(self, bucket: str, key: str, version: str = "", size: int | None = None) -> None:
        super().__init__()
        self.where = {"Bucket": bucket, "Key": key}
        self._at = 0
        if version and size is not None:
            self.size, self.etag = size, version
            return
        with named_errors(bucket):
            head = client().head_object(**self.where)
        self.size = int(head["ContentLength"])
        self.etag = str(head["ETag"])
        if version and self.etag != version:
            raise FilesForbidden(f"a file in bucket {bucket} was changed after its batch was accepted")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = SEEK_SET) -> int:
        self._at = offset + {SEEK_SET: 0, SEEK_CUR: self._at, SEEK_END: self.size}[whence]
        return self._at

    def readinto(self, buffer: Any) -> int:
        length = min(len(buffer), self.size - self._at)
        if length <= 0:
            return 0
        byte_range = f"bytes={self._at}-{self._at + length - 1}"
        with named_errors(self.where["Bucket"]):
            body = client().get_object(Range=byte_range, IfMatch=self.etag, **self.where)["Body"].read()
        buffer[: len(body)] = body
        self._at += len(body)
        return len(body)
