"""Writes files in S3: in one request, or in parts, of which S3 copies some itself."""

import logging
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any

from jobs.errors import FileMissing, FilesUnavailable
from jobs.files.s3_client import client, is_lasting, named_errors
from jobs.files.s3_reader import ObjectReader, ObjectStore
from jobs.files.store import COPIED, MIB, Draft, FileRange, FileStore

log = logging.getLogger(__name__)

LEAST_PART = 5 * MIB
"""S3 takes no smaller part but the last."""
PART = 16 * MIB
"""Bytes of a part that is uploaded. One that is copied may have fewer."""
SMALL_PARTS = 8_000
LATE_PART = 64 * MIB
"""S3 allows 10,000 parts. The first 8,000 may have 5 MiB, the last 2,000 have 64 MiB: at least 164 GiB in
all.
"""
READERS = 4
"""So many short ranges are read at a time: S3 takes longer to answer than to send them."""


class S3Draft(Draft):
    """Puts a short file in one request, and uploads a long one in parts.

    `upload` is the id of an upload to go on with. What is not a whole part yet is not durable. Two processes
    may write the same file: where a part ends follows from where it begins and from what comes then, so that
    both have the same parts.
    """

    def __init__(self, bucket: str, key: str, upload: str = "") -> None:
        self._where = {"Bucket": bucket, "Key": key}
        self._bucket = bucket
        self._unsent = _Unsent()
        self._upload = upload
        self._parts: list[dict[str, Any]] = []
        self._can_copy = True
        self._noted = False
        self.at = 0
        if upload:
            self._find_parts()

    def write(self, data: bytes | memoryview) -> None:
        self._unsent.add(data)
        self._count(len(data))

    def copy(self, source: FileStore, stored: FileRange) -> int:
        """Long ranges become parts that S3 copies. What is between them is read and uploaded."""
        left, unsent, least = stored.end - stored.start, self._unsent.size, self._least
        if not isinstance(source, ObjectStore):
            return super().copy(source, stored)
        if left < least:
            return self._read(source, stored, left)
        if unsent >= least:
            self._send(unsent)
            return self.copy(source, stored)
        if unsent:
            return self._read(source, stored, least - unsent if left + unsent >= 2 * least else left)
        length = left if left < self._part + least else self._part
        self._copy_part(source, stored._replace(end=stored.start + length))
        return length

    def _read(self, source: ObjectStore, stored: FileRange, size: int) -> int:
        """Has bytes read beside what comes after them."""
        size = min(size, COPIED)
        self._unsent.read(source, stored._replace(end=stored.start + size))
        self._count(size)
        return size

    def _count(self, size: int) -> None:
        """Counts bytes that were written, and uploads the parts that are whole now."""
        self.at += size
        while self._unsent.size >= (part := self._part):
            self._send(part)

    def save(self) -> tuple[str, int]:
        return self._upload, self.at - self._unsent.size

    def finish(self) -> str:
        if not self._upload:
            with named_errors(self._bucket):
                body = self._unsent.take(self._unsent.size)
                return str(client().put_object(Body=body, **self._where)["ETag"])
        if self._unsent.size:
            self._send(self._unsent.size)
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
        self._unsent.close()

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
            if part["PartNumber"] != number or part["Size"] < self._least:
                return
            self._add(part["ETag"])
            self.at += part["Size"]

    @property
    def _least(self) -> int:
        """The least bytes of the next part."""
        return LEAST_PART if len(self._parts) < SMALL_PARTS else LATE_PART

    @property
    def _part(self) -> int:
        """The bytes of the next part, if it is uploaded."""
        return PART if len(self._parts) < SMALL_PARTS else LATE_PART

    def _send(self, size: int) -> None:
        """Uploads the first bytes of those that are not yet."""
        data = self._unsent.take(size)
        with named_errors(self._bucket):
            self._add(client().upload_part(Body=data, **self._next())["ETag"])

    def _copy_part(self, source: ObjectStore, stored: FileRange) -> None:
        """Has S3 copy it. If that fails, the same part is read and uploaded."""
        if tag := self._copied(source, stored):
            self._add(tag)
        else:
            self._unsent.read(source, stored)
            self._send(self._unsent.size)
        self.at += stored.end - stored.start

    def _copied(self, source: ObjectStore, stored: FileRange) -> str:
        """The tag of the part, which is of one version of the file; empty if S3 did not copy it."""
        if not self._can_copy or (found := source.reader(stored.name)).size < stored.end:
            return ""  # whoever reads it says that it is shorter
        try:
            with named_errors(found.where["Bucket"]):
                return self._copy_object(found, stored)
        except FilesUnavailable as error:
            self._can_copy = not is_lasting(error)
            if not self._noted:
                log.warning("part_not_copied", extra={"error": str(error)})
            self._noted = True
            return ""

    def _copy_object(self, found: ObjectReader, stored: FileRange) -> str:
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


class _Unsent:
    """Bytes that are not uploaded yet; short ranges of files are read meanwhile, several at a time."""

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

    def read(self, source: ObjectStore, stored: FileRange) -> None:
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
