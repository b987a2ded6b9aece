"""What every registry of published bundles can do. Bundles are stored as `<name>/<version>/`."""

from collections.abc import Callable, Hashable, Mapping
from pathlib import Path
from typing import NamedTuple, Protocol, TypeAlias

from model.description.errors import BundleError, ModelError
from model.description.files import DESCRIPTION_FILE
from model.description.lifecycle import Lifecycle
from model.description.manifest import Manifest


class VersionExists(ModelError):
    """This version is already published."""


class RegistryUnavailable(ModelError):
    """The registry cannot be read or written now."""


class BundleRef(NamedTuple):
    """A bundle in a registry. `signature` changes whenever one of its files changes.

    `reported` tells whether a report that can be served is beside them.
    """

    name: str
    version: str
    signature: Hashable
    reported: bool = False

    @property
    def path(self) -> str:
        return f"{self.name}/{self.version}"


class Contents(NamedTuple):
    """All bundles, including invalid ones; and for each model that has a lifecycle, its signature."""

    bundles: list[BundleRef]
    lifecycles: Mapping[str, Hashable]

    def versions(self, name: str) -> list[int]:
        """Return the published versions of a model, oldest first."""
        return sorted(int(ref.version) for ref in self.bundles if ref.name == name and ref.version.isdigit())


ChangeLifecycle: TypeAlias = Callable[[Lifecycle], Lifecycle]
"""Takes a lifecycle and returns the changed one; raises LifecycleError."""


class Registry(Protocol):
    """Where bundles are published, and found by the catalog."""

    def contents(self) -> Contents:
        """List what is published; raises RegistryUnavailable."""
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

    def put_report(self, name: str, version: int, report: bytes) -> None:
        """Put a report beside a bundle, instead of an older one; raises RegistryUnavailable."""
        ...

    def read_report(self, name: str, version: int) -> bytes:
        """Read the report of a bundle; raises RegistryUnavailable."""
        ...

    def remove(self, name: str, version: int) -> None:
        """Remove a bundle, if it is there; raises RegistryUnavailable."""
        ...

    def read_lifecycle(self, name: str) -> Lifecycle:
        """Read the lifecycle of a model, or an empty one; raises LifecycleError or RegistryUnavailable."""
        ...

    def change_lifecycle(self, name: str, change: ChangeLifecycle) -> Lifecycle:
        """Replace the lifecycle of a model; a change by somebody else at the same time is never lost.

        Raises LifecycleError or RegistryUnavailable.
        """
        ...


def require_matching_path(manifest: Manifest, ref: BundleRef, location: str) -> None:
    """Raise BundleError for a bundle that is stored under another name or version than its own."""
    if (manifest.name, str(manifest.version)) != (ref.name, ref.version):
        raise BundleError(
            f"{location}: {DESCRIPTION_FILE} says that this is {manifest.ref}; "
            f"move it to {manifest.name}/{manifest.version}/"
        )
