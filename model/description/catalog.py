"""The catalog: which bundles are published, and which of them a request refers to."""

import logging
import math
import time
from collections.abc import Callable, Hashable
from pathlib import Path

from model.description.errors import BundleError, ModelError, UnknownModel
from model.description.manifest import NAME, Manifest
from model.registry.interface import BundleRef, RegistryUnavailable
from model.registry.open import open_registry

log = logging.getLogger(__name__)

ReadBundle = tuple[Hashable, Manifest | str]
"""The signature of a bundle, and its description or the reason why it cannot be served."""


class Catalog:
    """The bundles of a registry, listed anew every `refresh_seconds`: new versions need no restart.

    `problems` gives the reason for each bundle that cannot be served, by its path; that of "." is about the
    registry itself.
    """

    def __init__(
        self,
        bundles: str | Path,
        default: str,
        refresh_seconds: float = 30,
        clock: Callable[[], float] = time.monotonic,
        cache: Path | None = None,
    ) -> None:
        """Raises BundleError or RegistryUnavailable if the bundles cannot be listed."""
        self.default = default
        self.problems: dict[str, str] = {}
        self._registry = open_registry(bundles, cache)
        self._refresh_seconds = refresh_seconds
        self._clock = clock
        self._bundles: dict[str, ReadBundle] = {}
        self._versions: dict[str, dict[int, Manifest]] = {}
        self._by_ref: dict[str | None, Manifest] = {}
        self._next_refresh = clock()
        self._last_refresh = -math.inf
        self._refresh()
        if not self._bundles and "." in self.problems:
            raise BundleError(self.problems["."])

    def fetch(self, manifest: Manifest) -> Manifest:
        """Bring the files of a bundle to this machine; raises BundleError."""
        return self._registry.fetch(manifest)

    def find(self, ref: str | None = None) -> Manifest:
        """Find a version (`salary@3`), the newest version of a model (`salary`), or the default model (None).

        Raises UnknownModel.
        """
        self._refresh()
        manifest = self._by_ref.get(ref)
        if manifest is None:
            raise self._unknown(self.default if ref is None else ref)
        return manifest

    def refresh_now(self) -> None:
        """Look for new versions now, but at most once a second."""
        self._next_refresh = min(self._next_refresh, self._last_refresh + 1)
        self._refresh()

    def manifests(self) -> tuple[Manifest, ...]:
        """Return all versions of all models: models in alphabetical order, newest version first."""
        self._refresh()
        models = (self._versions[name] for name in sorted(self._versions))
        return tuple(versions[number] for versions in models for number in sorted(versions, reverse=True))

    def names(self) -> list[str]:
        """Return the names of the models in alphabetical order."""
        self._refresh()
        return sorted(self._versions)

    def versions(self, name: str) -> list[int]:
        """Return the versions of a model, oldest first; raises UnknownModel."""
        self._refresh()
        if name not in self._versions:
            raise self._unknown(name)
        return sorted(self._versions[name])

    def _unknown(self, ref: str) -> UnknownModel:
        name, _, version = ref.partition("@")
        if not NAME.fullmatch(name):
            return UnknownModel(
                "invalid name of a model; use a name such as salary, or a version such as salary@3"
            )
        if name in self._versions:
            return UnknownModel(f"model {name} has no version {version[:20]}")
        return UnknownModel(f"there is no model {name}")

    def _refresh(self) -> None:
        now = self._clock()
        if now < self._next_refresh:
            return
        self._next_refresh, self._last_refresh = now + self._refresh_seconds, now
        try:
            refs = self._registry.list_bundles()
        except RegistryUnavailable as error:
            # The bundles that are already known can still be served.
            self.problems = {**self.problems, ".": str(error)}
            return
        self._update({ref.path: (ref.signature, self._read(ref)) for ref in refs})

    def _update(self, bundles: dict[str, ReadBundle]) -> None:
        problems: dict[str, str] = {}
        versions: dict[str, dict[int, Manifest]] = {}
        for path, (_, result) in bundles.items():
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
        for path in problems.keys() - self.problems.keys():
            log.warning("bundle_not_served", extra={"error": problems[path]})
        self._bundles, self.problems, self._versions, self._by_ref = bundles, problems, versions, by_ref

    def _read(self, ref: BundleRef) -> Manifest | str:
        """Read a bundle, unless it was read before and its files have not changed."""
        signature, result = self._bundles.get(ref.path, (None, ""))
        if signature == ref.signature:
            return result
        try:
            return self._registry.read(ref)
        except ModelError as error:
            return str(error)
