"""Rows of the model's author: read as scoring reads them, the source of golden rows and ranges."""

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from model.description.errors import BundleError
from model.description.features import NUMERIC
from model.description.schema import Schema
from model.description.similar import similar_name
from model.preparation import MissingValues
from model.publish import shortest
from model.tables.columns import ColumnCheck, FeatureFault, values_as_sent
from model.tables.table import Table
from model.training.trained import GOLDEN_ROWS

USUAL_MISSING = ("NA", "N/A", "n/a", "NULL", "null", "None", "NaT", "?", "-", ".")
"""What other programs write for a missing value; a message repeats no other value."""
Matrix = NDArray[np.float32]


@dataclass(frozen=True, eq=False)
class Sample:
    """The table, and its rows as a matrix of shape (rows, features): what scoring makes of them."""

    table: Table
    matrix: Matrix

    @property
    def rows(self) -> int:
        return len(self.matrix)

    def golden_rows(self, schema: Schema) -> list[dict[str, Any]]:
        """Return rows as callers send them, evenly spaced and each different."""
        spaced = pa.array(np.unique(np.linspace(0, self.rows - 1, GOLDEN_ROWS).astype(int)))
        columns = {name: values_as_sent(column.take(spaced)) for name, column in _columns(schema, self.table)}
        rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
        checked = [dict(zip(schema.names, row, strict=True)) for row in schema.check_rows(rows)]
        return list({json.dumps(row): row for row in checked}.values())

    def observed(self, features: Sequence[Mapping[str, Any]], missing: float | None) -> list[dict[str, Any]]:
        """Return the features, the numeric ones with their range in these rows."""
        present = MissingValues.of(Schema.from_list(list(features)), missing).blank(self.matrix)
        return [
            {**feature, **_range(feature, column)}
            for feature, column in zip(features, present.T, strict=True)
        ]


def read_sample(schema: Schema, table: Table) -> Sample:
    """Read the features of a table; raises BundleError for the first value that does not fit."""
    columns = {name: pa.concat_arrays(column.chunks) for name, column in _columns(schema, table)}
    # A table has null where its file has an empty field.
    checked = ColumnCheck(schema, empty_is_null=False).read(columns, table.columns.num_rows)
    if checked.faults:
        raise _misfit(table, checked.faults)
    return Sample(table, checked.matrix)


def _misfit(table: Table, faults: Mapping[int, list[FeatureFault]]) -> BundleError:
    row = min(faults)
    feature, detail = faults[row][0]
    total = sum(map(len, faults.values()))
    [found] = values_as_sent(table.columns[feature].slice(row, 1))
    remedy = f"; if {found} is a missing value, add --missing {found}" if found in USUAL_MISSING else ""
    return BundleError(f"{table.file}: row {row + 1}: {feature} {detail} (faults in total: {total}){remedy}")


def _columns(schema: Schema, table: Table) -> Iterator[tuple[str, pa.ChunkedArray]]:
    """Yield the features that the table has; one that may be missing may be absent, but not misspelled."""
    names = table.columns.column_names
    for feature in schema.features:
        if feature.name in names:
            yield feature.name, table.columns[feature.name]
            continue
        near = similar_name(feature.name, [name for name in names if name not in schema.names])
        if near or not feature.nullable or not set(names) & set(schema.names):
            raise BundleError(
                f"{table.file} has no column {feature.name!r}, which is a feature of the model"
                + (f"; it has {near!r}" if near else "")
            )


def _range(feature: Mapping[str, Any], column: Matrix) -> dict[str, Any]:
    values = column[~np.isnan(column)]
    if feature["type"] not in NUMERIC or not values.size:
        return {}
    lowest, highest = shortest(np.array([values.min(), values.max()]))
    return {"observed": {"minimum": lowest, "maximum": highest}}
