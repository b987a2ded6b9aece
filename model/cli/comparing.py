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
from model.comparing.callers import breaking_changes
from model.comparing.metrics import measure
from model.comparing.picture import draw
from model.comparing.scores import Columns, ScoredTable, arrays_of, columns_of, find_differences, score_table
from model.description.errors import BundleError
from model.description.manifest import Manifest

if TYPE_CHECKING:
    from model.tables.table import TableOptions

Versions: TypeAlias = Sequence[tuple[str, Manifest]]
"""What to call the old and the new version, and their descriptions."""


def add_comparing(commands: Any) -> None:
    """Add the command."""
    parser = commands.add_parser("compare", help="compare two versions on a table")
    parser.description = (
        "Score a table with two versions. Shows how their scores differ, in which rows they differ most,\n"
        "and, if the table has the target, how near each version comes to it."
    )
    for position, which in (("old", "one version"), ("new", "the other version")):
        parser.add_argument(position, metavar=position.upper(), help=f"{which}: a directory, or its name")
    parser.add_argument("--data", type=Path, required=True, metavar="FILE", help="CSV or Parquet")
    parser.add_argument("--picture", type=Path, metavar="FILE", help="write a picture, as SVG")
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
    table = read_table(options.data, table_options(options)).columns
    columns = arrays_of(table)
    names = (old.ref, new.ref) if old.ref != new.ref else (options.old, options.new)
    scored = _score(list(zip(names, (old, new), strict=True)), columns, table.num_rows)
    differences = find_differences(*scored)
    lines = [f"breaks callers: {change}" for change in breaking_changes(old, new)]
    lines += _metrics(scored, columns)
    lines += [*render_differences(differences, *scored), *render_histogram(differences)]
    lines += render_largest(differences, scored[0], scored[1], columns)
    if options.picture and differences.rows.size:
        options.picture.write_text(
            draw(differences, scored[0].name, scored[1].name, new.unit), encoding="utf-8"
        )
        lines.append(f"the picture is in {options.picture}")
    return "\n".join(lines)


def _metrics(scored: Sequence[ScoredTable], columns: Mapping[str, Any]) -> list[str]:
    target = scored[0].bundle.manifest.target
    if target not in columns:
        return [f"the table has no column {target!r}, so no errors are measured"]
    metrics = {each.name: measure(each, columns[target]) for each in scored}
    return render_metrics_of(metrics) if any(metrics.values()) else []


COMMANDS: Mapping[str, Callable[[argparse.Namespace], str]] = {"compare": _compare_command}
