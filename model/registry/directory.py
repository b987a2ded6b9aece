"""Published bundles in a directory."""

import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path

from model.description.manifest import DESCRIPTION_FILE, MODEL_FILE, Manifest
from model.registry.interface import BundleRef, RegistryUnavailable, VersionExists, require_matching_path


class DirectoryRegistry:
    """Bundles in `<root>/<name>/<version>/`; entries whose name starts with a dot are ignored."""

    def __init__(self, root: Path, create: bool = False) -> None:
        self._root = root
        try:
            if create:
                root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RegistryUnavailable(f"{root}: cannot be created: {error.strerror}") from None

    def list_bundles(self) -> list[BundleRef]:
        if not self._root.is_dir():
            raise RegistryUnavailable(
                f"{self._root}: is not a directory; it must hold bundles as <name>/<version>/"
            )
        try:
            return list(self._bundles())
        except OSError as error:
            raise RegistryUnavailable(f"{self._root}: cannot be listed: {error.strerror}") from None

    def read(self, ref: BundleRef) -> Manifest:
        directory = self._root / ref.name / ref.version
        manifest = Manifest.read(directory)
        require_matching_path(manifest, ref, str(directory))
        return manifest

    def fetch(self, manifest: Manifest) -> Manifest:
        return manifest

    def put(self, draft: Path, name: str, version: int) -> None:
        directory = self._root / name / str(version)
        try:
            directory.parent.mkdir(parents=True, exist_ok=True)
            # A sibling can be renamed in one step, and its dot hides it from the catalog until then.
            copy = Path(tempfile.mkdtemp(prefix=f".{version}-", dir=directory.parent))
            try:
                for file in (DESCRIPTION_FILE, MODEL_FILE):
                    shutil.copyfile(draft / file, copy / file)
                copy.chmod(0o755)
                if directory.exists():
                    raise VersionExists(f"{directory}: is already published")
                copy.rename(directory)
            finally:
                shutil.rmtree(copy, ignore_errors=True)
        except OSError as error:
            raise RegistryUnavailable(f"{directory}: cannot be written: {error.strerror}") from None

    def _bundles(self) -> Iterator[BundleRef]:
        for model in _directories(self._root):
            for version in _directories(model):
                files = tuple(_signature(version / file) for file in (DESCRIPTION_FILE, MODEL_FILE))
                yield BundleRef(model.name, version.name, files)


def _directories(parent: Path) -> Iterator[Path]:
    for entry in sorted(parent.iterdir()):
        if entry.is_dir() and not entry.name.startswith("."):
            yield entry


def _signature(file: Path) -> tuple[int, int, int] | None:
    """Return inode, size and time of change; None if the file cannot be read."""
    try:
        status = file.stat()
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns
