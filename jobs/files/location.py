"""Opens the file store at a location."""

import os
from pathlib import Path
from typing import TYPE_CHECKING

from jobs.errors import FilesForbidden
from jobs.files.allow_list import is_allowed
from jobs.files.directory import DirectoryFiles, Sync
from jobs.files.store import FileStore

if TYPE_CHECKING:
    from jobs.files.s3 import S3Files


def files_at(location: str, sync: Sync = os.fsync) -> FileStore:
    """`location` is a directory, or s3://BUCKET/PREFIX. `sync` makes what is in a directory durable."""
    if location.startswith("s3://"):
        from jobs.files.s3 import S3Files  # importing boto3 takes a quarter of a second

        return S3Files(location)
    return DirectoryFiles(Path(location), sync)


def files_of_caller(
    folder: str, name: str, s3_allow: str, version: str = "", size: int | None = None
) -> "S3Files":
    """The store of a file that a caller named. Its record is not trusted: raises FilesForbidden elsewhere.

    With `version`, the store reads this version of its files alone, which has this size.
    """
    if not is_allowed(f"{folder}/{name}", s3_allow):
        raise FilesForbidden("a file of this batch is not under a folder in PAYGRADE_S3_ALLOW")
    from jobs.files.s3 import S3Files

    return S3Files(folder, version, size)
