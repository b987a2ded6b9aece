"""Published bundles in a directory."""

import errno
import fcntl
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from model.description.files import DESCRIPTION_FILE, LARGEST_REPORT, MODEL_FILE, REPORT_FILE
from model.description.lifecycle import LIFECYCLE_FILE, Lifecycle
from model.description.manifest import Manifest
from model.registry.interface import (
    BundleRef,
    ChangeLifecycle,
    Contents,
    RegistryUnavailable,
    VersionExists,
    require_matching_path,
)

LOCK_FILE = ".lock"
TAKEN = (errno.EEXIST, errno.ENOTEMPTY)


class DirectoryRegistry:
    """Bundles in `<root>/<name>/<version>/`, lifecycles in `<root>/<name>/lifecycle.json`.

    Entries whose name starts with a dot are ignored.
    """

    def __init__(self, root: Path, create: bool = False) -> None:
        self._root = root
        try:
            if create:
                root.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise RegistryUnavailable(f"{root}: cannot be created: {error.strerror}") from None

    def contents(self) -> Contents:
        if not self._root.is_dir():
            raise RegistryUnavailable(
                f"{self._root}: is not a directory; it must hold bundles as <name>/<version>/"
            )
        try:
            return Contents(list(self._bundles()), dict(self._lifecycles()))
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
                copy.rename(directory)  # fails if a directory with files is there
            finally:
                shutil.rmtree(copy, ignore_errors=True)
        except OSError as error:
            if error.errno in TAKEN:
                raise VersionExists(f"{directory}: is already published") from None
            raise RegistryUnavailable(f"{directory}: cannot be written: {error.strerror}") from None

    def put_report(self, name: str, version: int, report: bytes) -> None:
        directory = self._root / name / str(version)
        try:
            with tempfile.NamedTemporaryFile(prefix=".", dir=directory, delete=False) as draft:
                draft.write(report)
            Path(draft.name).chmod(0o644)
            Path(draft.name).replace(directory / REPORT_FILE)
        except OSError as error:
            raise RegistryUnavailable(f"{directory}: cannot be written: {error.strerror}") from None

    def read_report(self, name: str, version: int) -> bytes:
        file = self._root / name / str(version) / REPORT_FILE
        try:
            return file.read_bytes()
        except OSError as error:
            raise RegistryUnavailable(f"{file}: cannot be read: {error.strerror}") from None

    def remove(self, name: str, version: int) -> None:
        directory = self._root / name / str(version)
        try:
            if directory.exists():
                # In one step, so that nobody meets half a bundle.
                hidden = Path(tempfile.mkdtemp(prefix=f".{version}-", dir=directory.parent))
                directory.rename(hidden / "removed")
                shutil.rmtree(hidden)
        except OSError as error:
            raise RegistryUnavailable(f"{directory}: cannot be removed: {error.strerror}") from None

    def read_lifecycle(self, name: str) -> Lifecycle:
        file = self._root / name / LIFECYCLE_FILE
        try:
            return Lifecycle.parse(file.read_bytes(), str(file))
        except FileNotFoundError:
            return Lifecycle()
        except OSError as error:
            raise RegistryUnavailable(f"{file}: cannot be read: {error.strerror}") from None

    def change_lifecycle(self, name: str, change: ChangeLifecycle) -> Lifecycle:
        directory = self._root / name
        try:
            with _locked(directory / LOCK_FILE):
                changed = change(self.read_lifecycle(name))
                with tempfile.NamedTemporaryFile(prefix=".", dir=directory, delete=False) as draft:
                    draft.write(changed.to_json())
                Path(draft.name).chmod(0o644)
                Path(draft.name).replace(directory / LIFECYCLE_FILE)
        except OSError as error:
            raise RegistryUnavailable(f"{directory}: cannot be written: {error.strerror}") from None
        return changed

    def _lifecycles(self) -> Iterator[tuple[str, tuple[int, int, int]]]:
        for model in _directories(self._root):
            if signature := _signature(model / LIFECYCLE_FILE):
                yield model.name, signature

    def _bundles(self) -> Iterator[BundleRef]:
        for model in _directories(self._root):
            for version in _directories(model):
                files = tuple(_signature(version / file) for file in (DESCRIPTION_FILE, MODEL_FILE))
                report = _signature(version / REPORT_FILE)
                reported = report is not None and report[1] <= LARGEST_REPORT
                yield BundleRef(model.name, version.name, files, reported)


@contextmanager
def _locked(file: Path) -> Iterator[None]:
    """Hold a lock that ends with this process at the latest."""
    with file.open("w") as opened:
        fcntl.flock(opened, fcntl.LOCK_EX)
        yield


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
