"""The command `compare`, and the comparison of scores that `publish` shows."""

import argparse
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, TypeAlias

from model.bundle import Bundle
from model.cli.bundles import find_bundle
from model.cli.options import add_registry, add_table, table_options
from model.cli.render_comparison import (
    render_differences,
    render_histogram,
    render_largest,
    render_metrics_of,
)
from model.cli.reporting import command_line
from model.comparing.callers import breaking_changes
from model.comparing.scores import (
    Columns,
    Differences,
    ScoredTable,
    arrays_of,
    columns_of,
    find_differences,
    score_table,
)
from model.description.errors import BundleError
from model.description.manifest import Manifest

if TYPE_CHECKING:
    from model.tables.table import Table, TableOptions

Versions: TypeAlias = Sequence[tuple[str, Manifest]]
"""What to call the old and the new version, and their descriptions."""


def add_comparing(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("compare", help="compare two versions on a table")
    parser.description = (
        "Score a table with two versions. Shows how their scores differ, in which rows they differ most,\n"
        "and, if the table has the target, how near each version comes to it, and which is better."
    )
    for position, which in (("old", "one version"), ("new", "the other version")):
        parser.add_argument(position, metavar=position.upper(), help=f"{which}: a directory, or its name")
    parser.add_argument("--data", type=Path, required=True, metavar="FILE", help="CSV or Parquet")
    parser.add_argument("--report", type=Path, metavar="FILE", help="write a page of HTML with pictures")
    add_table(parser)
    add_registry(parser)


def compare_golden_rows(versions: Versions) -> Iterator[str]:
    """Compare the scores of the golden rows of both versions."""
    rows = [row for _, manifest in versions for row in manifest.scored_rows]
    different = [row for number, row in enumerate(rows) if row not in rows[:number]]
    yield "on the golden rows of both"
    yield from _compare(versions, columns_of(different), len(different))


def compare_sample(versions: Versions, file: Path, written: "TableOptions") -> Iterator[str]:
    """Compare the scores of the rows in a file."""
    from model.tables.table import read_table

    table = read_table(file, written).columns
    yield f"on the rows of {file.name}"
    yield from _compare(versions, arrays_of(table), table.num_rows)


def _compare(versions: Versions, columns: Columns, size: int) -> Iterator[str]:
    try:
        old, new = _score(versions, columns, size)
        yield from (f"  {line}" for line in _lines(old, new, columns))
    except BundleError as error:
        yield f"  the scores are not compared: {error}"


def _score(versions: Versions, columns: Columns, size: int) -> list[ScoredTable]:
    return [score_table(Bundle.load(each), name, columns, size) for name, each in versions]


def _lines(old: ScoredTable, new: ScoredTable, columns: Columns) -> Iterator[str]:
    differences = find_differences(old, new)
    yield from render_differences(differences, old, new)
    yield from render_largest(differences, old, new, columns)


def _compare_command(options: argparse.Namespace) -> str:
    from model.tables.table import read_table

    old, new = (find_bundle(each, options.bundles) for each in (options.old, options.new))
    table = read_table(options.data, table_options(options))
    columns = arrays_of(table.columns)
    names = (old.ref, new.ref) if old.ref != new.ref else (options.old, options.new)
    scored = _score(list(zip(names, (old, new), strict=True)), columns, table.columns.num_rows)
    differences = find_differences(*scored)
    lines = [f"breaks callers: {change}" for change in breaking_changes(old, new)]
    if differences.rows.size:
        lines += _evaluate(scored, differences, table, options)
    lines += [*render_differences(differences, *scored), *render_histogram(differences)]
    lines += render_largest(differences, scored[0], scored[1], columns)
    return "\n".join(lines)


def _evaluate(
    scored: Sequence[ScoredTable], differences: Differences, table: "Table", options: argparse.Namespace
) -> Iterator[str]:
    """Say how good both are, and which is better, if the table has the target; write the report."""
    from model.report.comparison import Versions, compare_versions, verdict_of, write_comparison
    from model.report.subject import subject_of_scores

    subjects = [subject_of_scores(each, table, command_line(options)) for each in scored]
    versions = Versions([each.name for each in scored], subjects, differences)
    comparisons = compare_versions(versions)
    for found in comparisons:
        yield from render_metrics_of(found)
        yield verdict_of(found)
    if not comparisons:
        yield f"the table has no column {scored[0].bundle.manifest.target!r}, so no errors are measured"
    if options.report:
        options.report.write_bytes(write_comparison(versions, comparisons))
        yield f"the report is in {options.report}"


COMMANDS: Mapping[str, Callable[[argparse.Namespace], str]] = {"compare": _compare_command}
