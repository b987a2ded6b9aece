"""Reads files in S3, also to copy them: one version of an object."""

from abc import abstractmethod
from io import SEEK_CUR, SEEK_END, SEEK_SET, RawIOBase
from typing import Any

from jobs.errors import FilesForbidden
from jobs.files.s3_client import client, named_errors
from jobs.files.store import FileStore


class ObjectReader(RawIOBase):
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


class ObjectStore(FileStore):
    """A file store whose files are objects of S3."""

    @abstractmethod
    def reader(self, name: str) -> ObjectReader: ...
