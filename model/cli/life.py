"""The commands for the life of a model: publish, alias, rollback, retire, delete."""

import argparse
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

from model.cli.bundles import find_bundle
from model.cli.comparing import compare_golden_rows, compare_sample
from model.cli.options import SETTING, add_bundle, add_registry, add_table, positive, table_options
from model.comparing.callers import breaking_changes
from model.description.catalog import Catalog
from model.description.errors import LifecycleError
from model.description.lifecycle import check_alias
from model.description.manifest import Manifest
from model.life import (
    AliasMove,
    NamedVersion,
    delete,
    move_alias,
    refusal,
    remove_alias,
    restore,
    retire,
    roll_back,
    versions_in_use,
)
from model.publish import publish_copy
from model.registry.open import open_registry

SEEN = "web and workers see it within 30 s"


def add_life(commands: Any) -> None:
    """Add the commands."""
    _add_publish(commands.add_parser("publish", help="publish a bundle, compared with the one in use"))
    alias = commands.add_parser("alias", help="let an alias name a version")
    alias.description = (
        "Let an alias name a version. Callers who ask for NAME@ALIAS get that version until the alias moves."
    )
    alias.add_argument("alias", metavar="NAME@ALIAS", help="such as rent@champion")
    alias.add_argument(
        "version", nargs="?", type=positive, metavar="VERSION", help="a version that is offered"
    )
    alias.add_argument("--remove", action="store_true", help="remove the alias instead")
    _add_breaking(alias)
    back = commands.add_parser("rollback", help="let an alias name again what it named before")
    back.add_argument("alias", metavar="NAME@ALIAS", help="such as rent@champion")
    away = commands.add_parser("retire", help="offer a version no longer")
    away.description = (
        "Offer a version no longer: requests for it are refused, and NAME means the newest of the others.\n"
        "Jobs that were accepted before are still scored with it."
    )
    away.add_argument("version", metavar="NAME@VERSION", help="such as rent@3")
    away.add_argument("--undo", action="store_true", help="offer it again")
    away.add_argument("--force", action="store_true", help="even if no other version is offered")
    gone = commands.add_parser("delete", help="remove a retired version for good")
    gone.add_argument("version", metavar="NAME@VERSION", help="such as rent@3")
    gone.add_argument("--force", action="store_true", help="even if it is offered")
    for parser in (alias, back, away, gone):
        add_registry(parser)


def _add_publish(parser: argparse.ArgumentParser) -> None:
    parser.description = (
        "Publish a bundle under its own name, version and sha256. If callers would get it instead of\n"
        "another version, it is compared with that one: what would break them is refused, and the scores\n"
        "are compared on the golden rows of both and on a sample."
    )
    add_bundle(parser)
    setting = os.environ.get(SETTING)
    add = parser.add_argument
    add(
        "--to",
        default=setting,
        required=not setting,
        metavar="LOCATION",
        help=f"a directory or s3://BUCKET/PREFIX (default: {SETTING}, if it is set)",
    )
    add("--alias", default="", metavar="ALIAS", help="let this alias name the version, too")
    add("--sample", type=Path, metavar="FILE", help="CSV or Parquet with rows to compare the scores on")
    add_table(parser)
    add("--version", type=positive, metavar="N", help="publish a copy with this number, and another sha256")
    _add_breaking(parser)


def _add_breaking(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("--breaking", action="store_true", help="even if it breaks what callers send or read")


def _publish(options: argparse.Namespace) -> str:
    if options.alias:
        check_alias(options.alias)
    manifest = find_bundle(options.bundle, options.bundles)
    registry = open_registry(options.to, create=True)
    catalog = Catalog(options.to, default="")
    version = options.version or manifest.version
    lines: list[str] = []
    for used in versions_in_use(catalog, manifest.name, version, options.alias):
        changes = breaking_changes(used, manifest)
        if changes and not options.breaking:
            raise LifecycleError(refusal(f"{manifest.name}@{version}", used.version, changes))
        lines += _compare(catalog.fetch(used), manifest, version, changes, options)
    published = publish_copy(manifest.directory, registry, options.version)
    lines.append(f"{published.ref} is in {options.to} (sha256 {published.sha256})")
    if options.alias:
        alias = NamedVersion(manifest.name, options.alias)
        move = move_alias(registry, Catalog(options.to, default=""), alias, version, breaking=True)
        lines.append(_moved(alias, move))
    return "\n".join(lines)


def _compare(
    used: Manifest, new: Manifest, version: int, changes: list[str], options: argparse.Namespace
) -> Iterator[str]:
    yield f"instead of version {used.version}, callers would get version {version}"
    yield from (f"  this breaks callers: {change}" for change in changes)
    versions = [(used.ref, used), (f"{new.name}@{version}", new)]
    yield from compare_golden_rows(versions)
    if options.sample:
        yield from compare_sample(versions, options.sample, table_options(options))
    yield ""


def _alias(options: argparse.Namespace) -> str:
    alias = NamedVersion.of_alias(options.alias)
    registry = open_registry(options.bundles)
    if options.remove:
        remove_alias(registry, alias)
        return f"{alias} is removed; {SEEN}"
    if not options.version:
        raise LifecycleError(f"say which version {alias} is to name, as in: alias {alias} 3; or add --remove")
    catalog = Catalog(options.bundles, default="")
    return _moved(alias, move_alias(registry, catalog, alias, options.version, options.breaking))


def _rollback(options: argparse.Namespace) -> str:
    alias = NamedVersion.of_alias(options.alias)
    catalog = Catalog(options.bundles, default="")
    return _moved(alias, roll_back(open_registry(options.bundles), catalog, alias))


def _retire(options: argparse.Namespace) -> str:
    ref, registry = NamedVersion.of_version(options.version), open_registry(options.bundles)
    if options.undo:
        restore(registry, ref)
        return f"{ref} is offered again; {SEEN}"
    retire(registry, ref, options.force)
    return f"{ref} is retired; {SEEN}; jobs that were accepted before are still scored with it"


def _delete(options: argparse.Namespace) -> str:
    ref = NamedVersion.of_version(options.version)
    delete(open_registry(options.bundles), ref, options.force)
    return f"{ref} is deleted, and its number will not be used again; jobs that still wait for it may fail"


def _moved(alias: NamedVersion, move: AliasMove) -> str:
    for change in move.changes:
        print(f"warning: this breaks callers of version {move.before}: {change}", file=sys.stderr)
    instead = f" instead of {move.before}" if move.before not in (None, move.version) else ""
    return f"{alias} names version {move.version}{instead}; {SEEN}"


COMMANDS: Mapping[str, Callable[[argparse.Namespace], str]] = {
    "publish": _publish,
    "alias": _alias,
    "rollback": _rollback,
    "retire": _retire,
    "delete": _delete,
}
