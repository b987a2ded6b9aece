"""A file store in S3: a file is put in one request, or uploaded in parts while it is written.

Import this module only where files are in S3, as s3_client.py says.
"""

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from io import SEEK_CUR, SEEK_END, SEEK_SET, RawIOBase
from typing import Any

from botocore.exceptions import ClientError

from jobs.errors import FileMissing, FilesForbidden, FilesUnavailable
from jobs.files.direct import DirectFiles
from jobs.files.s3_client import client, named_errors
from jobs.files.s3_direct import S3Direct
from jobs.files.store import COPIED, PIECE, Draft, FileRange, FileStore, Reserve, Writable

MIB = 1024 * 1024
LEAST = 5 * MIB
"""S3 takes no smaller part but the last."""
PART = 16 * MIB
"""Bytes of a part that is uploaded. One that is copied may have fewer."""
SMALL_PARTS = 8_000
LATE_PART = 64 * MIB
"""S3 allows 10,000 parts. The last 2,000 have so many bytes, so that a file may have 164 GiB, however small
those are that are copied.
"""
READERS = 4
"""So many short ranges are read at a time: S3 takes longer to answer than to send them."""


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
        return self.reader(name)

    def reader(self, name: str) -> "_ObjectReader":
        return _ObjectReader(self.bucket, self._key(name), self._version, self._size)

    def size(self, name: str) -> int:
        return self.reader(name).size

    def size_and_version(self, name: str) -> tuple[int, str]:
        reader = self.reader(name)
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
        request = {"Bucket": self.bucket, "Key": self._key(name)}
        if self._version or end is None or end <= start:
            reader = self.reader(name)
            end = reader.size if end is None else min(end, reader.size)
            request["IfMatch"] = reader.etag
        if start < end:
            with named_errors(self.bucket):
                try:
                    answer = client().get_object(Range=f"bytes={start}-{end - 1}", **request)
                except ClientError as error:
                    if error.response["Error"]["Code"] != "InvalidRange":
                        raise
                    return  # there are no such bytes
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
    """Puts a short file in one request, and uploads a long one in parts.

    `upload` is the id of an upload to go on with. What is not a whole part yet is not durable. Two processes
    may write the same file: where a part ends follows from where it begins and from what comes then, so that
    both have the same parts.
    """

    def __init__(self, bucket: str, key: str, upload: str = "") -> None:
        self._where = {"Bucket": bucket, "Key": key}
        self._bucket = bucket
        self._waiting = _Waiting()
        self._upload = upload
        self._parts: list[dict[str, Any]] = []
        self._can_copy = True
        self.at = 0
        if upload:
            self._find_parts()

    def write(self, data: bytes | memoryview) -> None:
        self._waiting.add(data)
        self._written(len(data))

    def copy(self, source: FileStore, stored: FileRange) -> int:
        """Long ranges become parts that S3 copies. What is between them is read and uploaded."""
        left, waiting = stored.end - stored.start, self._waiting.size
        least, part = self._limits()
        if not isinstance(source, S3Files):
            return super().copy(source, stored)
        if left < least:
            return self._read(source, stored, left)
        if waiting >= least:
            self._send(waiting)
            return self.copy(source, stored)
        if waiting:
            return self._read(source, stored, least - waiting if left + waiting >= 2 * least else left)
        length = left if left < part + least else part
        self._copy_part(source, stored._replace(end=stored.start + length))
        return length

    def _read(self, source: S3Files, stored: FileRange, size: int) -> int:
        """Has bytes read beside what comes after them."""
        size = min(size, COPIED)
        self._waiting.read(source, stored._replace(end=stored.start + size))
        self._written(size)
        return size

    def _written(self, size: int) -> None:
        self.at += size
        while self._waiting.size >= (part := self._limits()[1]):
            self._send(part)

    def save(self) -> tuple[str, int]:
        return self._upload, self.at - self._waiting.size

    def finish(self) -> str:
        if not self._upload:
            with named_errors(self._bucket):
                body = self._waiting.take(self._waiting.size)
                return str(client().put_object(Body=body, **self._where)["ETag"])
        if self._waiting.size:
            self._send(self._waiting.size)
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
        """The upload waits for the next process."""
        self._waiting.close()

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
            if part["PartNumber"] != number or part["Size"] < self._limits()[0]:
                return
            self._add(part["ETag"])
            self.at += part["Size"]

    def _limits(self) -> tuple[int, int]:
        """The least bytes of the next part, and those of one that is uploaded."""
        return (LEAST, PART) if len(self._parts) < SMALL_PARTS else (LATE_PART, LATE_PART)

    def _send(self, size: int) -> None:
        """Uploads the first bytes of those that wait."""
        data = self._waiting.take(size)
        with named_errors(self._bucket):
            self._add(client().upload_part(Body=data, **self._next())["ETag"])

    def _copy_part(self, source: S3Files, stored: FileRange) -> None:
        """Has S3 copy it. If it cannot, the same part is read and uploaded, and so are those that follow."""
        try:
            if self._can_copy:
                self._add(self._copied(source, stored))
        except FilesUnavailable:
            self._can_copy = False
        if not self._can_copy:
            self._waiting.read(source, stored)
            self._send(self._waiting.size)
        self.at += stored.end - stored.start

    def _copied(self, source: S3Files, stored: FileRange) -> str:
        """The tag of the part. It is of one version of the file."""
        found = source.reader(stored.name)
        if found.size < stored.end:
            raise FilesUnavailable
        with named_errors(found.where["Bucket"]):
            answer = client().upload_part_copy(
                CopySource=found.where,
                CopySourceRange=f"bytes={stored.start}-{stored.end - 1}",
                CopySourceIfMatch=found.etag,
                **self._next(),
            )
        return str(answer["CopyPartResult"]["ETag"])

    def _next(self) -> dict[str, Any]:
        """Where the next part goes."""
        if not self._upload:
            self._upload = client().create_multipart_upload(**self._where)["UploadId"]
        return {"PartNumber": len(self._parts) + 1, "UploadId": self._upload, **self._where}

    def _add(self, etag: str) -> None:
        self._parts.append({"PartNumber": len(self._parts) + 1, "ETag": etag})


class _Waiting:
    """Bytes that wait to be uploaded; short ranges of files are read meanwhile, several at a time."""

    def __init__(self) -> None:
        self.size = 0
        self._buffer = bytearray()
        self._reads: list[Future[bytes]] = []
        """What comes after the buffer."""
        self._readers: ThreadPoolExecutor | None = None

    def add(self, data: bytes | memoryview) -> None:
        self._collect()
        self._buffer += data
        self.size += len(data)

    def read(self, source: S3Files, stored: FileRange) -> None:
        self._readers = self._readers or ThreadPoolExecutor(READERS)
        self._reads.append(self._readers.submit(lambda: b"".join(source.read_range(stored))))
        self.size += stored.end - stored.start

    def take(self, size: int) -> bytes:
        """The first bytes. Raises what reading them raised."""
        self._collect()
        with memoryview(self._buffer) as buffer:
            data = bytes(buffer[:size])
        del self._buffer[:size]
        self.size -= size
        return data

    def close(self) -> None:
        if self._readers:
            self._readers.shutdown(cancel_futures=True)

    def _collect(self) -> None:
        for read in self._reads:
            self._buffer += read.result()
        self._reads = []


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
