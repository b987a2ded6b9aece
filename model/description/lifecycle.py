"""`lifecycle.json`: which versions of a model are offered, and the aliases that name one of them."""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from model.description.errors import LifecycleError

LIFECYCLE_FILE = "lifecycle.json"
ALIAS = re.compile(r"[a-z][a-z0-9_-]{0,62}")
LIKE_A_VERSION = re.compile(r"v[0-9]+|latest|newest")
MAX_HISTORY = 20


@dataclass(frozen=True)
class Lifecycle:
    """What happened to the versions of one model after they were published; each change gives a new one.

    `history` holds for each alias the versions that it named, the present one last. A retired version is no
    longer offered. The number of a deleted version is never used again.
    """

    history: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    retired: frozenset[int] = frozenset()
    deleted: frozenset[int] = frozenset()

    @property
    def aliases(self) -> dict[str, int]:
        """The version that each alias names, by alias in alphabetical order."""
        return {alias: self.history[alias][-1] for alias in sorted(self.history)}

    def aliases_of(self, version: int) -> list[str]:
        """Return the aliases that name this version."""
        return [alias for alias, named in self.aliases.items() if named == version]

    def is_offered(self, version: int) -> bool:
        return version not in self.retired | self.deleted

    @classmethod
    def parse(cls, text: bytes, location: str) -> "Lifecycle":
        """Read what `to_json` writes; raises LifecycleError, which names `location`."""
        try:
            content = json.loads(text)
            history = {alias: tuple(versions) for alias, versions in content["aliases"].items()}
            retired, deleted = frozenset(content["retired"]), frozenset(content["deleted"])
            for alias, versions in history.items():
                check_alias(alias)
                if not versions:
                    raise ValueError(f"the alias {alias} names no version")
            if not all(
                map(_is_version, [*retired, *deleted, *(one for each in history.values() for one in each)])
            ):
                raise ValueError("versions must be whole numbers from 1")
        except (ValueError, TypeError, AttributeError, RecursionError, LifecycleError) as error:
            raise LifecycleError(f"{location}: is no valid {LIFECYCLE_FILE}: {error}") from None
        except KeyError as error:
            raise LifecycleError(f"{location}: is no valid {LIFECYCLE_FILE}: it lacks {error}") from None
        return cls(history, retired, deleted)

    def to_json(self) -> bytes:
        """Write it as JSON, in the same bytes for the same content."""
        content: dict[str, Any] = {
            "aliases": {alias: list(self.history[alias]) for alias in sorted(self.history)},
            "retired": sorted(self.retired),
            "deleted": sorted(self.deleted),
        }
        return (json.dumps(content, indent=2) + "\n").encode()

    def with_alias(self, alias: str, version: int) -> "Lifecycle":
        """Let the alias name this version; raises LifecycleError if the version is not offered."""
        check_alias(alias)
        if not self.is_offered(version):
            raise LifecycleError(f"version {version} is {self._state(version)}, so no alias can name it")
        before = self.history.get(alias, ())
        if before[-1:] == (version,):
            return self
        return replace(self, history={**self.history, alias: (*before, version)[-MAX_HISTORY:]})

    def without_alias(self, alias: str) -> "Lifecycle":
        """Remove the alias; raises LifecycleError if there is none."""
        self._require_alias(alias)
        return replace(self, history={name: past for name, past in self.history.items() if name != alias})

    def rolled_back(self, alias: str) -> "Lifecycle":
        """Let the alias name again what it named before, as far as that is offered; raises LifecycleError."""
        self._require_alias(alias)
        past = [version for version in self.history[alias][:-1] if self.is_offered(version)]
        while past and past[-1] == self.history[alias][-1]:
            past.pop()
        if not past:
            raise LifecycleError(f"the alias {alias} named no version before that is still offered")
        return replace(self, history={**self.history, alias: tuple(past)})

    def with_retired(self, version: int) -> "Lifecycle":
        """Offer the version no longer; raises LifecycleError while an alias names it."""
        self._require_no_alias(version)
        return replace(self, retired=self.retired | {version})

    def with_offered(self, version: int) -> "Lifecycle":
        """Offer a retired version again; raises LifecycleError if it is deleted."""
        if version in self.deleted:
            raise LifecycleError(f"version {version} is deleted")
        return replace(self, retired=self.retired - {version})

    def with_deleted(self, version: int) -> "Lifecycle":
        """Mark the version as deleted; raises LifecycleError while an alias names it."""
        self._require_no_alias(version)
        return replace(self, retired=self.retired - {version}, deleted=self.deleted | {version})

    def _state(self, version: int) -> str:
        return "deleted" if version in self.deleted else "retired"

    def _require_alias(self, alias: str) -> None:
        if alias not in self.history:
            known = ", ".join(sorted(self.history)) or "none"
            raise LifecycleError(f"there is no alias {alias}; the aliases are: {known}")

    def _require_no_alias(self, version: int) -> None:
        if aliases := self.aliases_of(version):
            raise LifecycleError(
                f"version {version} is what the alias {aliases[0]} names; move or remove the alias first"
            )


def check_alias(alias: str) -> None:
    """Raise LifecycleError for a text that cannot be an alias, such as one that looks like a version."""
    if LIKE_A_VERSION.fullmatch(alias) or not ALIAS.fullmatch(alias):
        raise LifecycleError(
            f"{alias[:64]!r} cannot be an alias: use 1 to 63 characters of a-z, 0-9, _ and -, beginning with "
            "a letter, which do not look like a version, such as champion"
        )


def next_version(published: Collection[int], lifecycle: Lifecycle) -> int:
    """Return the number after all that were ever used."""
    return max([0, *published, *lifecycle.deleted, *lifecycle.retired]) + 1


def _is_version(number: object) -> bool:
    return isinstance(number, int) and not isinstance(number, bool) and number >= 1
