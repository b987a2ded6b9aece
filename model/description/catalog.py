"""The bundles that are published, and which of them a request means."""

import logging
import math
import time
from collections.abc import Callable, Hashable
from pathlib import Path

from model.description.errors import BundleError, ModelError, UnknownModel
from model.description.manifest import NAME, Manifest
from model.registry import BundleRef, RegistryUnavailable, open_registry

log = logging.getLogger(__name__)


class Catalog:
    """Looks again every `refresh_seconds`, so that a new version is served without a restart."""

    def __init__(
        self,
        bundles: str | Path,
        default: str,
        refresh_seconds: float = 30,
        clock: Callable[[], float] = time.monotonic,
        cache: Path | None = None,
    ) -> None:
        self.default = default
        self.problems: dict[str, str] = {}
        self._shelf = open_registry(bundles, cache)
        self._refresh_seconds = refresh_seconds
        self._clock = clock
        self._read: dict[str, tuple[Hashable, Manifest | str]] = {}
        self._versions: dict[str, dict[int, Manifest]] = {}
        self._by_ref: dict[str | None, Manifest] = {}
        self._next_scan = clock()
        self._last_scan = -math.inf
        self._refresh()
        if not self._read and "." in self.problems:
            raise BundleError(self.problems["."])

    def fetch(self, manifest: Manifest) -> Manifest:
        """The same with its files on this machine; raises BundleError if they cannot be had."""
        return self._shelf.fetch(manifest)

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
            places = self._shelf.places()
        except RegistryUnavailable as error:
            # What was found before is still good to serve.
            self.problems = {**self.problems, ".": str(error)}
            return
        self._take({place.path: (place.signature, self._look(place)) for place in places})

    def _take(self, found: dict[str, tuple[Hashable, Manifest | str]]) -> None:
        problems: dict[str, str] = {}
        versions: dict[str, dict[int, Manifest]] = {}
        for path, (_, result) in found.items():
            if isinstance(result, Manifest):
                versions.setdefault(result.name, {})[result.version] = result
            else:
                problems[path] = result
        by_ref: dict[str | None, Manifest] = {}
        for name, manifests in versions.items():
            by_ref.update({manifest.ref: manifest for manifest in manifests.values()})
            by_ref[name] = manifests[max(manifests)]
        if self.default in by_ref:
            by_ref[None] = by_ref[self.default]
        for place in problems.keys() - self.problems.keys():
            log.warning("bundle_left_out", extra={"error": problems[place]})
        self._read, self.problems, self._versions, self._by_ref = found, problems, versions, by_ref

    def _look(self, place: BundleRef) -> Manifest | str:
        """Read a bundle, unless neither of its files has changed since it was read."""
        signature, known = self._read.get(place.path, (None, ""))
        if signature == place.signature:
            return known
        try:
            return self._shelf.read(place)
        except ModelError as error:
            return str(error)
