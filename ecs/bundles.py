"""The bundles that a deployment serves: those of its images, or those under a prefix of a bucket."""

from typing import Any

from botocore.exceptions import ClientError

from ecs.aws import Aws, code_of
from ecs.errors import InvalidUsage
from ecs.settings import parse_s3

OF_THE_IMAGE = "image"
"""The value of --bundles that goes back to the bundles of the image."""
SHARE_OF_MEMORY = 4
"""A worker's /tmp, into which it fetches bundles, may take one part in four of its memory."""
ROOM_MIB = 64
"""The size of /tmp if there are no bundles but those of the image."""


def bundle_parameters(option: str | None) -> dict[str, str]:
    """Raises InvalidUsage."""
    if option is None:
        return {}
    if option == OF_THE_IMAGE:
        return {"Bundles": "model/bundles", "BundlesBucket": "", "BundlesPrefix": ""}
    bucket, prefix = parse_s3(option, "--bundles")
    return {
        "Bundles": f"s3://{bucket}/{prefix}".rstrip("/"),
        "BundlesBucket": bucket,
        "BundlesPrefix": prefix,
    }


def worker_room(bundles_bucket: str, worker_memory: int) -> int:
    """MiB of /tmp of a worker."""
    return worker_memory // SHARE_OF_MEMORY if bundles_bucket else ROOM_MIB


def check(aws: Aws, bucket: str, prefix: str, room: int) -> str:
    """What was found, in one sentence. Raises InvalidUsage if a worker could not serve what is there."""
    place = f"s3://{bucket}/{prefix}"
    try:
        objects = _objects(aws.client("s3"), bucket, prefix)
    except ClientError as error:
        if code_of(error) == "NoSuchBucket":
            raise InvalidUsage(
                f"--bundles {place}: account {aws.account} sees no such bucket",
                "check the name of the bucket",
            ) from None
        return f"{place} was not checked, since you may not list it ({code_of(error)})"
    versions = sum(each["Key"].endswith("/bundle.json") for each in objects)
    mib = sum(each["Size"] for each in objects) / 2**20
    if not versions:
        raise InvalidUsage(
            f"--bundles {place}: there is no bundle, NAME/VERSION/bundle.json",
            f"python -m model publish --to {place} publishes one",
        )
    if mib > room:
        raise InvalidUsage(
            f"--bundles {place}: the bundles have {mib:.0f} MiB, and /tmp of a worker has {room}",
            "choose a --worker-size with more memory, of which /tmp has a quarter, or delete old versions",
        )
    return (
        f"{place}: {versions} bundle{'s' * (versions != 1)}, {mib:.1f} MiB; /tmp of a worker has {room} MiB"
    )


def _objects(s3: Any, bucket: str, prefix: str) -> list[dict[str, Any]]:
    pages = s3.get_paginator("list_objects_v2").paginate(Bucket=bucket, Prefix=prefix)
    return [each for page in pages for each in page.get("Contents", ())]
