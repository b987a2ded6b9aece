"""Opens the file store at a location."""

from pathlib import Path

from jobs.files.directory import DirectoryFiles
from jobs.files.store import FileStore


def files_at(location: str) -> FileStore:
    """`location` is a directory, or s3://BUCKET/PREFIX."""
    if location.startswith("s3://"):
        from jobs.files.s3 import S3Files  # importing boto3 takes a quarter of a second

        return S3Files(location)
    return DirectoryFiles(Path(location))
