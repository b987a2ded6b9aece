"""The clients of S3, and what its errors mean.

Import this module only where files are in S3: boto3 takes a quarter of a second. It imports everything that
creating a client would import, because a module that a thread imports while its process forks stays locked in
the child.
"""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

import boto3.s3.inject
import boto3.session
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError

from jobs.errors import FileMissing, FilesForbidden, FilesUnavailable


@cache
def client() -> Any:
    """Created when it is first needed."""
    config = Config(connect_timeout=5, read_timeout=30, retries={"max_attempts": 3})
    return boto3.session.Session().client("s3", config=config)


# Two processes on one connection would receive each other's answers.
os.register_at_fork(after_in_child=client.cache_clear)


@contextmanager
def named_errors(bucket: str) -> Iterator[None]:
    """Raises FileMissing, FilesForbidden or FilesUnavailable for what S3 answers."""
    try:
        yield
    except ClientError as error:
        code = str(error.response["Error"]["Code"])
        if code in ("404", "NoSuchKey", "NoSuchUpload"):
            raise FileMissing from None
        if code in _REFUSALS:
            raise FilesForbidden(_REFUSALS[code].format(bucket=bucket)) from error
        raise FilesUnavailable(f"S3 cannot be used at the moment ({code})") from error
    except BotoCoreError as error:
        raise FilesUnavailable(f"S3 does not answer ({type(error).__name__})") from error


_REFUSALS = {
    "NoSuchBucket": "bucket {bucket} does not exist",
    "403": "access to bucket {bucket} is denied",
    "AccessDenied": "access to bucket {bucket} is denied",
    "412": "a file in bucket {bucket} was changed while it was read",
    "PreconditionFailed": "a file in bucket {bucket} was changed while it was read",
}

_LASTING = frozenset({"403", "AccessDenied", "InvalidRequest", "MethodNotAllowed", "NotImplemented"})


def is_lasting(error: FilesUnavailable) -> bool:
    """Whether S3, or what plays it, refuses such a call whenever it is made."""
    answer = error.__cause__
    return isinstance(answer, ClientError) and str(answer.response["Error"]["Code"]) in _LASTING
