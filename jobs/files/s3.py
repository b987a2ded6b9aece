"""A file store in S3: a file is put in one request, or uploaded in parts while it is written.

Import this module only where files are in S3, as s3_client.py says.
"""

from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from io import RawIOBase
from typing import Any

from botocore.exceptions import ClientError

from jobs.files.direct import DirectFiles
from jobs.files.s3_client import client, named_errors
from jobs.files.s3_direct import S3Direct
from jobs.files.s3_draft import S3Draft
from jobs.files.s3_reader import ObjectReader, ObjectStore
from jobs.files.store import PIECE, Draft, Reserve


class S3Files(ObjectStore):
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
    def create(self, name: str) -> Iterator[Draft]:
        upload = S3Draft(self.bucket, self._key(name))
        try:
            with closing(upload):
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

    def reader(self, name: str) -> ObjectReader:
        return ObjectReader(self.bucket, self._key(name), self._version, self._size)

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
