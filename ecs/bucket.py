"""The bucket of the batches' files, which outlives the deployment unless it is empty or told to go."""

from dataclasses import dataclass
from typing import Any

from botocore.exceptions import ClientError

from ecs.aws import Aws, code_of
from ecs.prices import S3_GB_MONTH


@dataclass(frozen=True)
class Files:
    bucket: str
    objects: int
    bytes: int

    def __str__(self) -> str:
        if not self.objects:
            return f"the empty bucket {self.bucket}"
        gigabytes = self.bytes / 1e9
        return (
            f"the bucket {self.bucket} (objects: {self.objects}, {gigabytes:.1f} GB, "
            f"about {gigabytes * S3_GB_MONTH:.2f} USD a month)"
        )


def is_there(aws: Aws, bucket: str) -> bool:
    try:
        aws.client("s3").head_bucket(Bucket=bucket)
    except ClientError as error:
        if code_of(error) in ("404", "NoSuchBucket"):
            return False
        raise
    return True


def look(aws: Aws, bucket: str) -> Files | None:
    """Every version of every object counts: each is paid for."""
    try:
        versions = [version for page in _pages(aws, bucket) for version in page.get("Versions", [])]
    except ClientError as error:
        if code_of(error) == "NoSuchBucket":
            return None
        raise
    return Files(bucket, len(versions), sum(version["Size"] for version in versions))


def remove(aws: Aws, files: Files, even_if_full: bool) -> str:
    """Returns what is to be said of a bucket that stays."""
    if files.objects and not even_if_full:
        return f"{files} stays; python -m ecs down --delete-files removes it"
    s3 = aws.client("s3")
    try:
        for page in _pages(aws, files.bucket):
            gone = [
                {"Key": each["Key"], "VersionId": each["VersionId"]}
                for each in page.get("Versions", []) + page.get("DeleteMarkers", [])
            ]
            if gone:
                s3.delete_objects(Bucket=files.bucket, Delete={"Objects": gone, "Quiet": True})
        s3.delete_bucket(Bucket=files.bucket)
    except ClientError as error:
        if code_of(error) != "NoSuchBucket":  # it never came to be kept
            raise
    return ""


def _pages(aws: Aws, bucket: str) -> Any:
    return aws.client("s3").get_paginator("list_object_versions").paginate(Bucket=bucket)
