"""Presigned addresses of S3: with one of them, a caller without rights there can put a part or get a file.

Import this module only where files are in S3, as s3_client.py says.
"""

import time
from base64 import b64encode
from collections.abc import Mapping
from functools import cache
from typing import Any
from urllib.parse import urlsplit

import boto3.session
from botocore import UNSIGNED
from botocore.config import Config
from botocore.exceptions import ClientError

from jobs.errors import FilesDiffer, FilesForbidden
from jobs.files.direct import DirectFiles, FilePart, SignedAddresses
from jobs.files.s3_client import client, named_errors

PUT_SECONDS = 3600
GET_SECONDS = 300
"""How long an address may be used to begin with: a transfer that has begun goes on."""


@cache
def session() -> Any:
    return boto3.session.Session()


@cache
def signer() -> Any:
    """Signs as every region takes it, for the bucket's own host: others would answer with redirects."""
    return session().client("s3", config=_config("s3v4"))


def _config(signature: object) -> Config:
    return Config(signature_version=signature, s3={"addressing_style": "virtual"})


class S3Direct(DirectFiles):
    def __init__(self, bucket: str, prefix: str) -> None:
        self._bucket = bucket
        self._prefix = prefix

    @property
    def origin(self) -> str:
        unsigned = session().client("s3", config=_config(UNSIGNED))
        address = urlsplit(unsigned.generate_presigned_url("get_object", Params=self._where("x")))
        return f"{address.scheme}://{address.netloc}"

    def begin(self, name: str, checked: bool) -> str:
        checks = {"ChecksumAlgorithm": "CRC32", "ChecksumType": "FULL_OBJECT"} if checked else {}
        with named_errors(self._bucket):
            begun = client().create_multipart_upload(**self._where(name), **checks)
        return str(begun["UploadId"])

    def arrived(self, name: str, handle: str) -> Mapping[int, int]:
        return {part["PartNumber"]: part["Size"] for part in self._parts(name, handle)}

    def sign(self, name: str, handle: str, parts: list[FilePart]) -> SignedAddresses:
        seconds = _lifetime(PUT_SECONDS)
        expires_at = time.time() + seconds
        urls = {
            part.number: self._sign(
                "upload_part",
                name,
                int(seconds),
                UploadId=handle,
                PartNumber=part.number,
                ContentLength=part.size,
            )
            for part in parts
        }
        return SignedAddresses(urls, expires_at)

    def finish(self, name: str, handle: str, crc32: int | None) -> None:
        parts = [_reference(part) for part in self._parts(name, handle)]
        expected = None if crc32 is None else b64encode(crc32.to_bytes(4)).decode()
        checks = {"ChecksumCRC32": expected, "ChecksumType": "FULL_OBJECT"} if expected else {}
        with named_errors(self._bucket):
            try:
                client().complete_multipart_upload(
                    UploadId=handle, MultipartUpload={"Parts": parts}, **self._where(name), **checks
                )
            except ClientError as error:
                if error.response["Error"]["Code"] != "BadDigest":
                    raise
                raise FilesDiffer from None
            head = client().head_object(ChecksumMode="ENABLED", **self._where(name))
        if expected and head.get("ChecksumCRC32", expected) != expected:
            raise FilesDiffer

    def abort(self, name: str, handle: str) -> None:
        with named_errors(self._bucket):
            try:
                client().abort_multipart_upload(UploadId=handle, **self._where(name))
            except ClientError as error:
                if error.response["Error"]["Code"] != "NoSuchUpload":
                    raise

    def address_of(self, name: str, media_type: str, file_name: str) -> str:
        return self._sign(
            "get_object",
            name,
            int(_lifetime(GET_SECONDS)),
            ResponseContentType=media_type,
            ResponseContentDisposition=f'attachment; filename="{file_name}"',
            ResponseCacheControl="no-store",
        )

    def _where(self, name: str) -> dict[str, str]:
        return {"Bucket": self._bucket, "Key": self._prefix + name}

    def _parts(self, name: str, handle: str) -> list[dict[str, Any]]:
        with named_errors(self._bucket):
            pages = client().get_paginator("list_parts").paginate(UploadId=handle, **self._where(name))
            return [part for page in pages for part in page.get("Parts", ())]

    def _sign(self, call: str, name: str, seconds: int, **more: Any) -> str:
        with named_errors(self._bucket):
            url: str = signer().generate_presigned_url(
                call, Params={**self._where(name), **more}, ExpiresIn=seconds
            )
        return url


def _reference(part: dict[str, Any]) -> dict[str, Any]:
    return {"PartNumber": part["PartNumber"], "ETag": part["ETag"]}


def _lifetime(longest: int) -> float:
    """Seconds: an address dies with the credentials that signed it, such as those of a task."""
    credentials = session().get_credentials()
    if credentials is None:
        raise FilesForbidden("web has no credentials for S3")
    with named_errors("of the file store"):
        credentials.get_frozen_credentials()  # renews those that end soon
    ends = getattr(credentials, "_expiry_time", None)
    return longest if ends is None else max(min(longest, ends.timestamp() - time.time()), 1)
