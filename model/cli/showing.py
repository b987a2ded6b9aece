"""The commands that look at bundles: `show`, `check` and `list`."""

import argparse
from collections.abc import Callable, Mapping
from typing import Any

from model.bundle import Bundle
from model.cli.bundles import find_bundle
from model.cli.options import add_bundle, add_registry
from model.cli.render import render_bundle, render_catalog
from model.description.catalog import Catalog
from model.description.files import DESCRIPTION_FILE


def add_showing(commands: Any) -> None:
    """Add the commands of a single bundle."""
    show = commands.add_parser("show", help="print the description of a bundle")
    add_bundle(show)
    show.add_argument("--json", action="store_true", help="print bundle.json as it is")
    add_bundle(commands.add_parser("check", help="load a bundle and score its golden rows"))


def add_list(commands: Any) -> None:
    """Add the command `list`."""
    add_registry(commands.add_parser("list", help="list the published bundles, with their aliases"))


def _show(options: argparse.Namespace) -> str:
    manifest = find_bundle(options.bundle, options.bundles)
    if options.json:
        return (manifest.directory / DESCRIPTION_FILE).read_text(encoding="utf-8").rstrip()
    return render_bundle(manifest)


def _check(options: argparse.Namespace) -> str:
    manifest = find_bundle(options.bundle, options.bundles)
    Bundle.load(manifest)
    return f"{manifest.ref} is whole, and its {len(manifest.golden.rows)} golden rows score as published"


def _list(options: argparse.Namespace) -> str:
    return render_catalog(Catalog(options.bundles, default=""))


COMMANDS: Mapping[str, Callable[[argparse.Namespace], str]] = {
    "show": _show,
    "check": _check,
    "list": _list,
}
