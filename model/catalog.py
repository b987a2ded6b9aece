"""The bundles in a folder, `<root>/<name>/<version>/`, and which of them a request means."""

import logging
import math
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from model.errors import BundleError, ModelError, UnknownModel
from model.manifest import DESCRIPTION_FILE, MODEL_FILE, NAME, Manifest

log = logging.getLogger(__name__)

Signature = tuple[tuple[int, int, int] | None, ...]


class Catalog:
    """Looks again every `refresh_seconds`, so that a new version is served without a restart."""

    def __init__(
        self,
        root: Path,
        default: str,
        refresh_seconds: float = 30,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        if not root.is_dir():
            raise BundleError(f"{root}: is not a directory; it must hold bundles as <name>/<version>/")
        self.default = default
        self.problems: dict[str, str] = {}
        self._root = root
        self._refresh_seconds = refresh_seconds
        self._clock = clock
        self._read: dict[Path, tuple[Signature, Manifest | str]] = {}
        self._versions: dict[str, dict[int, Manifest]] = {}
        self._by_ref: dict[str | None, Manifest] = {}
        self._next_scan = clock()
        self._last_scan = -math.inf
        self._refresh()

    def find(self, ref: str | None = None) -> Manifest:
        """Find what `salary@3` means, or `salary` (its newest version), or None (the default model)."""
        self._refresh()
        manifest = self._by_ref.get(ref)
        if manifest is None:
            raise self._unknown(self.default if ref is None else ref)
        return manifest

    def look_again(self) -> None:
        """Looks at once, though not more than once a second: somebody knows of a version that is new here."""
        self._next_scan = min(self._next_scan, self._last_scan + 1)
        self._refresh()

    def manifests(self) -> tuple[Manifest, ...]:
        """All of them: the models in the order of the alphabet, of each its newest version first."""
        self._refresh()
        models = (self._versions[name] for name in sorted(self._versions))
        return tuple(versions[number] for versions in models for number in sorted(versions, reverse=True))

    def names(self) -> list[str]:
        """List the models, in the order of the alphabet."""
        self._refresh()
        return sorted(self._versions)

    def versions(self, name: str) -> list[int]:
        """List the versions of a model, oldest first."""
        self._refresh()
        if name not in self._versions:
            raise self._unknown(name)
        return sorted(self._versions[name])

    def _unknown(self, ref: str) -> UnknownModel:
        name, _, version = ref.partition("@")
        if not NAME.fullmatch(name):
            return UnknownModel("a model is asked for by name, or by name and version, as in salary@3")
        if name in self._versions:
            return UnknownModel(f"model {name} has no version {version[:20]}")
        return UnknownModel(f"there is no model {name}")

    def _refresh(self) -> None:
        now = self._clock()
        if now < self._next_scan:
            return
        self._next_scan, self._last_scan = now + self._refresh_seconds, now
        try:
            directories = list(self._directories())
        except OSError as error:
            # What was found before is still good to serve.
            self.problems = {**self.problems, ".": f"{self._root}: cannot be listed: {error.strerror}"}
            return
        self._take({directory: self._look(directory) for directory in directories})

    def _take(self, found: dict[Path, tuple[Signature, Manifest | str]]) -> None:
        problems: dict[str, str] = {}
        versions: dict[str, dict[int, Manifest]] = {}
        for directory, (_, result) in found.items():
            if isinstance(result, Manifest):
                versions.setdefault(result.name, {})[result.version] = result
            else:
                problems[directory.relative_to(self._root).as_posix()] = result
        by_ref: dict[str | None, Manifest] = {}
        for name, manifests in versions.items():
            by_ref.update({manifest.ref: manifest for manifest in manifests.values()})
            by_ref[name] = manifests[max(manifests)]
        if self.default in by_ref:
            by_ref[None] = by_ref[self.default]
        for place in problems.keys() - self.problems.keys():
            log.warning("bundle_left_out", extra={"error": problems[place]})
        self._read, self.problems, self._versions, self._by_ref = found, problems, versions, by_ref

    def _directories(self) -> Iterator[Path]:
        """Yield each `<name>/<version>`; a dot marks what is still being written."""
        for model in sorted(self._root.iterdir()):
            if model.is_dir() and not model.name.startswith("."):
                for version in sorted(model.iterdir()):
                    if version.is_dir() and not version.name.startswith("."):
                        yield version

    def _look(self, directory: Path) -> tuple[Signature, Manifest | str]:
        """Read a bundle, unless neither of its files has changed since it was read."""
        signature = tuple(_signature(directory / name) for name in (DESCRIPTION_FILE, MODEL_FILE))
        before = self._read.get(directory)
        if before is not None and before[0] == signature:
            return before
        try:
            return signature, _read_in_place(directory)
        except ModelError as error:
            return signature, str(error)


def _read_in_place(directory: Path) -> Manifest:
    manifest = Manifest.read(directory)
    if (manifest.name, str(manifest.version)) != (directory.parent.name, directory.name):
        raise BundleError(
            f"{directory}: {DESCRIPTION_FILE} says that it is {manifest.ref}; "
            f"it belongs in {manifest.name}/{manifest.version}/"
        )
    return manifest


def _signature(file: Path) -> tuple[int, int, int] | None:
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_size, found.st_mtime_ns
