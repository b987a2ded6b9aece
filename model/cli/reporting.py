"""The command `report`: writes how good a bundle is, and what its features are worth, as a page of HTML."""

import argparse
import shlex
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from model.bundle import Bundle
from model.cli.bundles import find_bundle
from model.cli.options import add_bundle, add_table, table_options
from model.description.files import REPORT_FILE
from model.registry.open import open_registry


def add_reporting(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("report", help="write how good a bundle is on a table, as a page of HTML")
    parser.description = (
        "Score a table with a bundle, and write one HTML file: metrics with intervals beside baselines,\n"
        "errors, calibration, coverage, what each feature is worth and does, what is suspicious, and how it\n"
        "was made. The table should have the target, and rows that the model has not seen. The file goes\n"
        "into the bundle, where web finds it; the bundle's sha256 does not cover it."
    )
    add_bundle(parser)
    parser.add_argument("--data", type=Path, required=True, metavar="FILE", help="CSV or Parquet")
    parser.add_argument(
        "--output", type=Path, metavar="FILE", help="write it there instead of into the bundle"
    )
    add_table(parser)


def command_line(options: argparse.Namespace) -> str:
    """Return the command as it could be typed again."""
    return f"python -m model {shlex.join(options.arguments)}"


def _report(options: argparse.Namespace) -> str:
    from model.report.single import write_report
    from model.report.subject import subject_of_table
    from model.tables.table import read_table

    manifest = find_bundle(options.bundle, options.bundles)
    table = read_table(options.data, table_options(options))
    subject = subject_of_table(Bundle.load(manifest), table, command_line(options))
    report = write_report(subject)
    for note in subject.unscored:
        print(f"warning: {note}", file=sys.stderr)
    return f"the report of {manifest.ref} is in {_keep(options, manifest.ref, report)}"


def _keep(options: argparse.Namespace, ref: str, report: bytes) -> str:
    """Write the report where it belongs; returns that place."""
    directory = Path(options.bundle)
    if options.output or directory.is_dir():
        file = options.output or directory / REPORT_FILE
        file.write_bytes(report)
        return str(file)
    name, _, version = ref.partition("@")
    open_registry(options.bundles).put_report(name, int(version), report)
    return f"{options.bundles}/{name}/{version}/{REPORT_FILE}"


COMMANDS: Mapping[str, Callable[[argparse.Namespace], str]] = {"report": _report}
