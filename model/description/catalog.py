"""The catalog: which bundles are published, and which of them a request refers to."""

import logging
import math
import time
from collections.abc import Callable, Hashable
from pathlib import Path

from model.description.checks import NAME
from model.description.errors import BundleError, LifecycleError, ModelError, UnknownModel
from model.description.lifecycle import LIFECYCLE_FILE, Lifecycle
from model.description.manifest import Manifest
from model.registry.interface import BundleRef, Contents, RegistryUnavailable
from model.registry.open import open_registry

log = logging.getLogger(__name__)

ReadBundle = tuple[Hashable, Manifest | str]
"""The signature of a bundle, and its description or the reason why it cannot be served."""
ReadLifecycle = tuple[Hashable, Lifecycle | None]
"""The signature of a lifecycle, and the last one that could be read. Without one, nothing is offered."""


class Catalog:
    """The bundles of a registry, listed anew every `refresh_seconds`: new versions need no restart.

    A version is offered unless it is retired; only jobs that were accepted before find a retired one.

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
        self._lifecycles: dict[str, ReadLifecycle] = {}
        self._stored: dict[str, Manifest] = {}
        self._reported: set[str] = set()
        self._versions: dict[str, dict[int, Manifest]] = {}
        self._aliases: dict[str, dict[str, int]] = {}
        self._by_ref: dict[str | None, Manifest] = {}
        self._next_refresh = clock()
        self._last_refresh = -math.inf
        self._refresh()
        if not self._bundles and "." in self.problems:
            raise BundleError(self.problems["."])

    def fetch(self, manifest: Manifest) -> Manifest:
        """Bring the files of a bundle to this machine; raises BundleError."""
        return self._registry.fetch(manifest)

    def has_report(self, manifest: Manifest) -> bool:
        """Return whether a report is beside a bundle."""
        return manifest.ref in self._reported

    def read_report(self, manifest: Manifest) -> bytes:
        """Read the report of a bundle; raises RegistryUnavailable."""
        return self._registry.read_report(manifest.name, manifest.version)

    def find(self, ref: str | None = None) -> Manifest:
        """Find a version (`salary@3`), what an alias names (`salary@champion`), the newest version of a model
        (`salary`), or the default model (None).

        Raises UnknownModel; a retired version is unknown.
        """
        self._refresh()
        manifest = self._by_ref.get(ref)
        if manifest is None:
            raise self._unknown(self.default if ref is None else ref)
        return manifest

    def find_preferred(self, name: str) -> Manifest:
        """Find the default model if it has this name, such as `salary@champion`, or else the newest version.

        Raises UnknownModel.
        """
        return self.find(None if self.default.partition("@")[0] == name else name)

    def find_accepted(self, ref: str) -> Manifest:
        """Find a version that a job was accepted for: it may be retired by now; raises UnknownModel."""
        self._refresh()
        manifest = self._stored.get(ref)
        if manifest is None:
            raise self._unknown(ref)
        return manifest

    def refresh_now(self) -> None:
        """Look for new versions now, but at most once a second."""
        self._next_refresh = min(self._next_refresh, self._last_refresh + 1)
        self._refresh()

    def manifests(self) -> tuple[Manifest, ...]:
        """Return all versions that are offered: models in alphabetical order, newest version first."""
        self._refresh()
        models = (self._versions[name] for name in sorted(self._versions))
        return tuple(versions[number] for versions in models for number in sorted(versions, reverse=True))

    def names(self) -> list[str]:
        """Return the names of the models in alphabetical order."""
        self._refresh()
        return sorted(self._versions)

    def versions(self, name: str) -> list[int]:
        """Return the versions of a model that are offered, oldest first; raises UnknownModel."""
        self._refresh()
        if name not in self._versions:
            raise self._unknown(name)
        return sorted(self._versions[name])

    def aliases(self, name: str) -> dict[str, int]:
        """Return the version that each alias of a model names, as far as it is offered."""
        self._refresh()
        return self._aliases.get(name, {})

    def retired(self) -> list[Manifest]:
        """Return the versions that are stored and not offered."""
        self._refresh()
        return [manifest for ref, manifest in sorted(self._stored.items()) if ref not in self._by_ref]

    def _unknown(self, ref: str) -> UnknownModel:
        name, _, which = ref.partition("@")
        which = which[:64]
        if not NAME.fullmatch(name):
            return UnknownModel(
                "invalid name of a model; use a name such as salary, a version such as salary@3, "
                "or an alias such as salary@champion"
            )
        if name not in self._versions:
            retired = any(manifest.name == name for manifest in self._stored.values())
            return UnknownModel(
                f"model {name} is retired: no version of it is offered"
                if retired
                else f"there is no model {name}"
            )
        newest = f"its newest version is {max(self._versions[name])}"
        if ref in self._stored:
            return UnknownModel(f"version {which} of model {name} is retired; {newest}")
        _, lifecycle = self._lifecycles.get(name, (None, None))
        if lifecycle and which in lifecycle.aliases:
            version = lifecycle.aliases[which]
            return UnknownModel(
                f"{name}@{which} names version {version}, which is retired or not there; {newest}"
            )
        if not which or which.isdigit():
            return UnknownModel(f"model {name} has no version {which}")
        return UnknownModel(f"model {name} has no version or alias {which}")

    def _refresh(self) -> None:
        now = self._clock()
        if now < self._next_refresh:
            return
        self._next_refresh, self._last_refresh = now + self._refresh_seconds, now
        try:
            contents = self._registry.contents()
        except RegistryUnavailable as error:
            # The bundles that are already known can still be served.
            self.problems = {**self.problems, ".": str(error)}
            return
        self._update(contents)

    def _update(self, contents: Contents) -> None:
        problems: dict[str, str] = {}
        bundles = {ref.path: (ref.signature, self._read(ref)) for ref in contents.bundles}
        lifecycles = {name: self._read_lifecycle(name, contents, problems) for name in contents.lifecycles}
        stored: dict[str, Manifest] = {}
        reported = {f"{ref.name}@{ref.version}" for ref in contents.bundles if ref.reported}
        versions: dict[str, dict[int, Manifest]] = {}
        for path, (_, result) in bundles.items():
            if isinstance(result, str):
                problems[path] = result
                continue
            stored[result.ref] = result
            _, lifecycle = lifecycles.get(result.name, (None, Lifecycle()))
            if lifecycle and lifecycle.is_offered(result.version):
                versions.setdefault(result.name, {})[result.version] = result
        for path in problems.keys() - self.problems.keys():
            log.warning("bundle_not_served", extra={"error": problems[path]})
        self._bundles, self._lifecycles, self.problems = bundles, lifecycles, problems
        self._stored, self._versions, self._reported = stored, versions, reported
        self._name_versions()

    def _name_versions(self) -> None:
        """Index the versions that are offered by all that callers may call them."""
        by_ref: dict[str | None, Manifest] = {}
        aliases: dict[str, dict[str, int]] = {}
        for name, manifests in self._versions.items():
            by_ref.update({manifest.ref: manifest for manifest in manifests.values()})
            by_ref[name] = manifests[max(manifests)]
            _, lifecycle = self._lifecycles.get(name, (None, None))
            named = lifecycle.aliases if lifecycle else {}
            aliases[name] = {alias: version for alias, version in named.items() if version in manifests}
            by_ref.update({f"{name}@{alias}": manifests[version] for alias, version in aliases[name].items()})
        if self.default in by_ref:
            by_ref[None] = by_ref[self.default]
        self._aliases, self._by_ref = aliases, by_ref

    def _read_lifecycle(self, name: str, contents: Contents, problems: dict[str, str]) -> ReadLifecycle:
        """Read a lifecycle, unless it has not changed; if it cannot be read, the last one holds."""
        signature, known = self._lifecycles.get(name, (None, None))
        if signature == contents.lifecycles[name]:
            return signature, known
        try:
            return contents.lifecycles[name], self._registry.read_lifecycle(name)
        except (LifecycleError, RegistryUnavailable) as error:
            problems[f"{name}/{LIFECYCLE_FILE}"] = str(error)
            return None, known

    def _read(self, ref: BundleRef) -> Manifest | str:
        """Read a bundle, unless it was read before and its files have not changed."""
        signature, result = self._bundles.get(ref.path, (None, ""))
        if signature == ref.signature:
            return result
        try:
            return self._registry.read(ref)
        except ModelError as error:
            return str(error)
