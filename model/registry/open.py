"""Opens the registry that a setting or an option names."""

from pathlib import Path

from model.registry.directory import DirectoryRegistry
from model.registry.interface import Registry

S3 = "s3://"


def open_registry(location: str | Path, cache: Path | None = None, create: bool = False) -> Registry:
    """Open a directory or an `s3://` prefix; raises RegistryUnavailable.

    `cache` holds the fetched files of a bucket (default: a temporary directory). `create` makes a missing
    directory.
    """
    if not str(location).startswith(S3):
        return DirectoryRegistry(Path(location), create)
    from model.registry.s3 import open_s3_registry  # boto3 is slow to import, and optional

    return open_s3_registry(str(location).removeprefix(S3), cache)
