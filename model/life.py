"""What happens to versions after they are published: aliases, roll back, retire, delete."""

from typing import NamedTuple

from model.comparing.callers import breaking_changes
from model.description.catalog import Catalog
from model.description.checks import NAME
from model.description.errors import BundleError, LifecycleError
from model.description.lifecycle import check_alias
from model.description.manifest import Manifest
from model.registry.interface import Registry


class NamedVersion(NamedTuple):
    """`salary@champion` or `salary@3`, in its two parts."""

    name: str
    which: str

    @classmethod
    def of_alias(cls, ref: str) -> "NamedVersion":
        """Read NAME@ALIAS; raises LifecycleError."""
        name, _, alias = ref.partition("@")
        if not NAME.fullmatch(name) or not alias:
            raise LifecycleError(
                f"{ref[:64]!r} names no alias; write it as callers do, such as salary@champion"
            )
        check_alias(alias)
        return cls(name, alias)

    @classmethod
    def of_version(cls, ref: str) -> "NamedVersion":
        """Read NAME@VERSION; raises LifecycleError."""
        name, _, version = ref.partition("@")
        if not NAME.fullmatch(name) or not version.isdecimal() or not version.isascii() or int(version) < 1:
            raise LifecycleError(f"{ref[:64]!r} names no version; name one, such as salary@3")
        return cls(name, str(int(version)))

    @property
    def version(self) -> int:
        return int(self.which)

    def __str__(self) -> str:
        return f"{self.name}@{self.which}"


class AliasMove(NamedTuple):
    """The version that an alias names now, the one before, and what breaks for its callers."""

    version: int
    before: int | None
    changes: list[str]


def move_alias(
    registry: Registry, catalog: Catalog, alias: NamedVersion, version: int, breaking: bool
) -> AliasMove:
    """Let an alias name a version; raises UnknownModel or LifecycleError.

    A version that breaks what the alias' callers send or read is refused, unless `breaking`.
    """
    new = catalog.find(f"{alias.name}@{version}")
    before = catalog.aliases(alias.name).get(alias.which)
    changes = breaking_changes(catalog.find(str(alias)), new) if before else []
    if changes and not breaking:
        raise LifecycleError(refusal(f"{alias} as version {version}", before, changes))
    registry.change_lifecycle(alias.name, lambda lifecycle: lifecycle.with_alias(alias.which, version))
    return AliasMove(version, before, changes)


def roll_back(registry: Registry, catalog: Catalog, alias: NamedVersion) -> AliasMove:
    """Let an alias name what it named before; raises LifecycleError."""
    now = registry.change_lifecycle(alias.name, lambda lifecycle: lifecycle.rolled_back(alias.which))
    before = catalog.aliases(alias.name).get(alias.which)
    version = now.aliases[alias.which]
    old, new = (catalog.find(f"{alias.name}@{each}") if each else None for each in (before, version))
    return AliasMove(version, before, breaking_changes(old, new) if old and new else [])


def remove_alias(registry: Registry, alias: NamedVersion) -> None:
    """Raises LifecycleError if there is no such alias."""
    registry.change_lifecycle(alias.name, lambda lifecycle: lifecycle.without_alias(alias.which))


def retire(registry: Registry, ref: NamedVersion, force: bool) -> None:
    """Offer a version no longer; raises BundleError or LifecycleError."""
    offered = _offered(registry, ref.name)
    if ref.version not in offered:
        raise BundleError(f"{ref} is not offered here{_instead(offered)}")
    if len(offered) == 1 and not force:
        raise LifecycleError(
            f"{ref} is the only version that is offered, so callers of {ref.name} would find none; "
            "publish another one first, or add --force"
        )
    registry.change_lifecycle(ref.name, lambda lifecycle: lifecycle.with_retired(ref.version))


def restore(registry: Registry, ref: NamedVersion) -> None:
    """Offer a retired version again; raises BundleError or LifecycleError."""
    if ref.version not in registry.contents().versions(ref.name):
        raise BundleError(f"there is no {ref} here")
    registry.change_lifecycle(ref.name, lambda lifecycle: lifecycle.with_offered(ref.version))


def delete(registry: Registry, ref: NamedVersion, force: bool) -> None:
    """Remove a version for good; raises BundleError or LifecycleError.

    It must be retired, so that nobody asks for it any more, unless `force`; and no alias may name it.
    """
    stored, lifecycle = registry.contents().versions(ref.name), registry.read_lifecycle(ref.name)
    if ref.version not in stored and ref.version not in lifecycle.deleted:
        raise BundleError(f"there is no {ref} here{_instead(stored)}")
    offered = ref.version in stored and lifecycle.is_offered(ref.version)
    if offered and not lifecycle.aliases_of(ref.version) and not force:
        raise LifecycleError(
            f"{ref} is offered, and callers may use it; retire it first, and delete it when its jobs have "
            "ended, or add --force"
        )
    registry.change_lifecycle(ref.name, lambda each: each.with_deleted(ref.version))
    registry.remove(ref.name, ref.version)


def versions_in_use(catalog: Catalog, name: str, new: int, alias: str) -> list[Manifest]:
    """Return the versions whose callers get the version `new` instead, once it is published.

    They are those of the name itself, and those of `alias` if it is not empty.
    """
    used = []
    if name in catalog.names() and catalog.find(name).version < new:
        used.append(catalog.find(name))
    if alias in catalog.aliases(name) and (named := catalog.find(f"{name}@{alias}")) not in used:
        used.append(named)
    return used


def refusal(what: str, before: int | None, changes: list[str]) -> str:
    """Return the message for changes that break callers."""
    more = f" (and {len(changes) - 5} more)" if len(changes) > 5 else ""
    return (
        f"{what} would break callers of version {before}: {'; '.join(changes[:5])}{more}; "
        "add --breaking if they are prepared for it"
    )


def _offered(registry: Registry, name: str) -> list[int]:
    lifecycle = registry.read_lifecycle(name)
    return [version for version in registry.contents().versions(name) if lifecycle.is_offered(version)]


def _instead(versions: list[int]) -> str:
    return f"; there are the versions {', '.join(map(str, versions))}" if versions else ""
