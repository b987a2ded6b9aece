"""Where published bundles stand, as `<name>/<version>/`: a directory, or a bucket (see bucket.py)."""

import shutil
import tempfile
from collections.abc import Hashable, Iterator
from pathlib import Path
from typing import NamedTuple, Protocol

from model.description.errors import BundleError, ModelError
from model.description.manifest import DESCRIPTION_FILE, MODEL_FILE, Manifest

S3 = "s3://"


class Taken(ModelError):
    """This version is published already."""


class RegistryUnavailable(ModelError):
    """What stands there cannot be known now."""


class BundleRef(NamedTuple):
    """A bundle as the shelf lists it; the signature differs when one of its files does."""

    name: str
    version: str
    signature: Hashable

    @property
    def path(self) -> str:
        return f"{self.name}/{self.version}"


class Registry(Protocol):
    def places(self) -> list[BundleRef]:
        """All bundles, whole or not; raises RegistryUnavailable."""
        ...

    def read(self, place: BundleRef) -> Manifest:
        """What it says of itself; raises BundleError."""
        ...

    def fetch(self, manifest: Manifest) -> Manifest:
        """The same with both files on this machine, and held to their sha256; raises BundleError."""
        ...

    def put(self, draft: Path, name: str, version: int) -> None:
        """Publish a draft, whole or not at all; raises Taken or RegistryUnavailable."""
        ...


def open_registry(where: str | Path, cache: Path | None = None, create: bool = False) -> Registry:
    """Raises RegistryUnavailable. `cache` keeps the files of a bucket (default: a temporary directory)."""
    if not str(where).startswith(S3):
        return DirectoryRegistry(Path(where), create)
    from model.bucket import open_bucket  # boto3 is slow to import, and not installed everywhere

    return open_bucket(str(where), cache)


class DirectoryRegistry:
    def __init__(self, root: Path, create: bool = False) -> None:
        self._root = root
        try:
            if create:
                root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RegistryUnavailable(f"{root}: cannot be made: {error.strerror}") from None

    def places(self) -> list[BundleRef]:
        if not self._root.is_dir():
            raise RegistryUnavailable(
                f"{self._root}: is not a directory; it must hold bundles as <name>/<version>/"
            )
        try:
            return list(self._places())
        except OSError as error:
            raise RegistryUnavailable(f"{self._root}: cannot be listed: {error.strerror}") from None

    def read(self, place: BundleRef) -> Manifest:
        return read_in_place(self._root / place.name / place.version)

    def fetch(self, manifest: Manifest) -> Manifest:
        return manifest

    def put(self, draft: Path, name: str, version: int) -> None:
        place = self._root / name / str(version)
        try:
            place.parent.mkdir(parents=True, exist_ok=True)
            # The dot keeps the catalog away; a sibling can be renamed in one step.
            copy = Path(tempfile.mkdtemp(prefix=f".{version}-", dir=place.parent))
            try:
                for file in (DESCRIPTION_FILE, MODEL_FILE):
                    shutil.copyfile(draft / file, copy / file)
                copy.chmod(0o755)
                if place.exists():
                    raise Taken(f"{place}: is published already")
                copy.rename(place)
            finally:
                shutil.rmtree(copy, ignore_errors=True)
        except OSError as error:
            raise RegistryUnavailable(f"{place}: cannot be written: {error.strerror}") from None

    def _places(self) -> Iterator[BundleRef]:
        for model in sorted(self._root.iterdir()):
            if model.is_dir() and not model.name.startswith("."):
                for version in sorted(model.iterdir()):
                    if version.is_dir() and not version.name.startswith("."):
                        files = tuple(_signature(version / file) for file in (DESCRIPTION_FILE, MODEL_FILE))
                        yield BundleRef(model.name, version.name, files)


def read_in_place(directory: Path) -> Manifest:
    """Read a bundle that stands where its name and version say; raises BundleError."""
    manifest = Manifest.read(directory)
    require_place(manifest, directory.parent.name, directory.name, str(directory))
    return manifest


def require_place(manifest: Manifest, name: str, version: str, where: str) -> None:
    """Raises BundleError for a bundle that stands where another belongs."""
    if (manifest.name, str(manifest.version)) != (name, version):
        raise BundleError(
            f"{where}: {DESCRIPTION_FILE} says that it is {manifest.ref}; "
            f"it belongs in {manifest.name}/{manifest.version}/"
        )


def _signature(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
