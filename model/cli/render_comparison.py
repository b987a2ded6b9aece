"""A comparison as text: metrics, quantiles of the differences, a histogram, and the largest ones."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from model.cli.render import text_table
from model.comparing.scores import Differences, ScoredTable
from model.report.subject import MetricComparison

QUANTILES = (0, 0.01, 0.05, 0.25, 0.5, 0.75, 0.95, 0.99, 1)
BARS, BAR_WIDTH = 11, 40
LARGEST = 10
SHOWN_FEATURES = 6


def render_metrics_of(found: MetricComparison) -> list[str]:
    """Make a table with a line for each metric and a column for each version."""
    rows = [["", *found.names[:2]]]
    for metric in found.metrics:
        values = [found.resampled.interval(found.position(each, metric)).value for each in found.names[:2]]
        rows.append([metric, *(f"{value:.6g}" for value in values)])
    return text_table(rows)


def render_differences(differences: Differences, old: ScoredTable, new: ScoredTable) -> list[str]:
    """Say how many rows both score, how many are equal, and how large the differences are."""
    size = len(old.rows) + len(old.faults)
    lines = [f"{len(differences.rows)} of {size} rows are scored by both versions"]
    lines += [line for each in (old, new) for line in _render_faults(each)]
    values = differences.values
    if not values.size:
        return lines
    equal = int((values == 0).sum())
    lines.append(f"{equal} of them have equal scores, to the last bit")
    if equal == values.size:
        return lines
    lines.append(f"differences ({new.name} minus {old.name}), from the lowest to the highest")
    quantiles = np.quantile(values, QUANTILES)
    lines += text_table([[f"{q:.0%}" for q in QUANTILES], [f"{value:.6g}" for value in quantiles]])
    return lines


def render_histogram(differences: Differences) -> list[str]:
    """Draw how often differences of each size occur."""
    values = differences.values
    if not values.any():
        return []
    counts, edges = np.histogram(values, BARS)
    bars = ["#" * int(np.ceil(BAR_WIDTH * count / counts.max())) for count in counts]
    rows = [
        [f"{low:.4g} to {high:.4g}", str(count), bar]
        for low, high, count, bar in zip(edges[:-1], edges[1:], counts.tolist(), bars, strict=True)
    ]
    return ["how often a difference occurs", *text_table(rows)]


def render_largest(
    differences: Differences, old: ScoredTable, new: ScoredTable, columns: Mapping[str, Sequence[Any]]
) -> list[str]:
    """Make a table of the rows with the largest differences, with the first features."""
    positions = differences.largest(LARGEST)
    if not positions.size:
        return []
    shown = [name for name in new.bundle.manifest.schema.names if name in columns][:SHOWN_FEATURES]
    rows = [["row", old.name, new.name, "difference", *shown]]
    for position in positions:
        row = int(differences.rows[position])
        scores = (differences.old[position], differences.new[position], differences.values[position])
        values = (_text(columns[name][row]) for name in shown)
        rows.append([str(row + 1), *(f"{score:.8g}" for score in scores), *values])
    return ["the largest differences", *text_table(rows)]


def _render_faults(scored: ScoredTable) -> list[str]:
    if not scored.faults:
        return []
    row, [fault, *_] = next(iter(scored.faults.items()))
    count = len(scored.faults)
    return [f"{scored.name} cannot score {count} rows: in row {row + 1}, {fault.feature} {fault.detail}"]


def _text(value: Any) -> str:
    value = value.as_py() if hasattr(value, "as_py") else value
    return "" if value is None else str(value)[:30]
