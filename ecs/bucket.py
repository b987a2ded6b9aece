"""The S3 bucket with the files of batches. `down` deletes it only if it is empty or on request."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from botocore.exceptions import ClientError

from ecs.aws import Aws, code_of
from ecs.errors import InvalidUsage
from ecs.prices import OBJECTS


@dataclass(frozen=True)
class BucketContents:
    bucket: str
    objects: int
    bytes: int

    def __str__(self) -> str:
        if not self.objects:
            return f"the empty bucket {self.bucket}"
        gigabytes = self.bytes / 1e9
        return (
            f"the bucket {self.bucket} (objects: {self.objects}, {gigabytes:.1f} GB, "
            f"about {gigabytes * OBJECTS.usd:.2f} USD a month)"
        )


def exists(aws: Aws, bucket: str) -> bool:
    """Raises InvalidUsage for one that is somebody else's: names of buckets are unique in all of AWS."""
    try:
        aws.client("s3").head_bucket(Bucket=bucket)
    except ClientError as error:
        if code_of(error) in ("404", "NoSuchBucket"):
            return False
        if code_of(error) in ("403", "AccessDenied"):
            raise InvalidUsage(
                f"the bucket {bucket} exists, and you may not use it: it is another account's than "
                f"{aws.account}, or you lack s3:ListBucket",
                "python -m ecs doctor lists the missing permissions; another --stack has another bucket",
            ) from None
        raise
    return True


def takes_files(app: Mapping[str, str]) -> bool:
    """Whether callers put files into the bucket themselves, with these parameters of the app."""
    return (app.get("DirectFiles") or str(app.get("Front") == "api").lower()) == "true"


def let_page_upload(aws: Aws, bucket: str, address: str, app: Mapping[str, str]) -> None:
    """Lets the page at the address, and no other, send files to the bucket, and fetch them.

    Templates cannot say this: the address is known after the bucket, and the bucket may be older than they.
    """
    if not (address and takes_files(app)):
        return
    origin = urlsplit(address)
    rule = {
        "AllowedOrigins": [f"{origin.scheme}://{origin.netloc}"],
        "AllowedMethods": ["GET", "PUT"],
        "AllowedHeaders": ["*"],
        "MaxAgeSeconds": 600,
    }
    aws.client("s3").put_bucket_cors(Bucket=bucket, CORSConfiguration={"CORSRules": [rule]})


def measure(aws: Aws, bucket: str) -> BucketContents | None:
    """Counts every version of every object, since each is billed. None if there is no such bucket."""
    try:
        versions = [version for page in _pages(aws, bucket) for version in page.get("Versions", [])]
    except ClientError as error:
        if code_of(error) == "NoSuchBucket":
            return None
        raise
    return BucketContents(bucket, len(versions), sum(version["Size"] for version in versions))


def delete(aws: Aws, contents: BucketContents, with_objects: bool) -> str:
    """Returns a message if the bucket is kept, and an empty text if it was deleted."""
    if contents.objects and not with_objects:
        return f"{contents} is kept; python -m ecs down --delete-files deletes it"
    s3 = aws.client("s3")
    try:
        for page in _pages(aws, contents.bucket):
            versions = [
                {"Key": each["Key"], "VersionId": each["VersionId"]}
                for each in page.get("Versions", []) + page.get("DeleteMarkers", [])
            ]
            if versions:
                s3.delete_objects(Bucket=contents.bucket, Delete={"Objects": versions, "Quiet": True})
        s3.delete_bucket(Bucket=contents.bucket)
    except ClientError as error:
        if code_of(error) != "NoSuchBucket":  # a stack that failed early deletes its bucket itself
            raise
    return ""


def _pages(aws: Aws, bucket: str) -> Any:
    return aws.client("s3").get_paginator("list_object_versions").paginate(Bucket=bucket)
