"""What every registry of published bundles can do. Bundles are stored as `<name>/<version>/`."""

from collections.abc import Hashable
from pathlib import Path
from typing import NamedTuple, Protocol

from model.description.errors import BundleError, ModelError
from model.description.manifest import DESCRIPTION_FILE, Manifest


class VersionExists(ModelError):
    """This version is already published."""


class RegistryUnavailable(ModelError):
    """The registry cannot be read or written now."""


class BundleRef(NamedTuple):
    """A bundle in a registry. `signature` changes whenever one of its files changes."""

    name: str
    version: str
    signature: Hashable

    @property
    def path(self) -> str:
        return f"{self.name}/{self.version}"


class Registry(Protocol):
    """Where bundles are published, and found by the catalog."""

    def list_bundles(self) -> list[BundleRef]:
        """List all bundles, including invalid ones; raises RegistryUnavailable."""
        ...

    def read(self, ref: BundleRef) -> Manifest:
        """Read a bundle's description; raises BundleError."""
        ...

    def fetch(self, manifest: Manifest) -> Manifest:
        """Bring both files of a bundle to this machine and check their sha256; raises BundleError.

        The result's `directory` holds the files.
        """
        ...

    def put(self, draft: Path, name: str, version: int) -> None:
        """Publish the files in `draft`, all or none; raises VersionExists or RegistryUnavailable."""
        ...


def require_matching_path(manifest: Manifest, ref: BundleRef, location: str) -> None:
    """Raise BundleError for a bundle that is stored under another name or version than its own."""
    if (manifest.name, str(manifest.version)) != (ref.name, ref.version):
        raise BundleError(
            f"{location}: {DESCRIPTION_FILE} says that this is {manifest.ref}; "
            f"move it to {manifest.name}/{manifest.version}/"
        )
