"""Opens the file store at a location."""

import os
from pathlib import Path

from jobs.files.directory import DirectoryFiles, Sync
from jobs.files.store import FileStore


def files_at(location: str, sync: Sync = os.fsync) -> FileStore:
    """`location` is a directory, or s3://BUCKET/PREFIX. `sync` makes what is in a directory durable."""
    if location.startswith("s3://"):
        from jobs.files.s3 import S3Files  # importing boto3 takes a quarter of a second

        return S3Files(location)
    return DirectoryFiles(Path(location), sync)
