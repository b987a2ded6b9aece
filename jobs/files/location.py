"""Where a file store is."""

from pathlib import Path

from jobs.files.directory import Directory
from jobs.files.store import FileStore


def files_at(location: str) -> FileStore:
    """`location` is a directory, or s3://BUCKET/PREFIX."""
    if location.startswith("s3://"):
        from jobs.files.s3 import S3Files  # boto3 takes a quarter of a second to import

        return S3Files(location)
    return Directory(Path(location))
