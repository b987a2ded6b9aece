"""Rows of the model's author: read as scoring reads them, the source of golden rows and ranges."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from model.description.errors import BundleError
from model.description.features import NUMERIC
from model.description.schema import Schema
from model.preparation import MissingValues
from model.publish import shortest
from model.tables.columns import ColumnCheck
from model.training.table import Table
from model.training.trained import GOLDEN_ROWS

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
        values = [array.take(spaced).to_pylist() for array in _arrays(schema, self.table).values()]
        rows = [dict(zip(schema.names, row, strict=True)) for row in zip(*values, strict=True)]
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
    checked = ColumnCheck(schema, empty_is_null=True).read(_arrays(schema, table), table.columns.num_rows)
    if checked.faults:
        row = min(checked.faults)
        feature, detail = checked.faults[row][0]
        total = sum(map(len, checked.faults.values()))
        raise BundleError(f"{table.file}: /{row}/{feature} {detail} (faults in total: {total})")
    return Sample(table, checked.matrix)


def _arrays(schema: Schema, table: Table) -> dict[str, pa.Array]:
    for name in schema.names:
        if name not in table.columns.column_names:
            raise BundleError(f"{table.file} has no column {name!r}, which is a feature of the model")
    return {feature.name: _as_sent(table.columns[feature.name], feature.type) for feature in schema.features}


def _as_sent(column: pa.ChunkedArray, kind: str) -> pa.Array:
    """Convert what callers do not send: pandas' True and NaN, decimals, and numbers that name categories."""
    values = pa.concat_arrays(column.chunks)
    if pa.types.is_dictionary(values.type):
        values = values.dictionary_decode()
    if pa.types.is_decimal(values.type):
        values = values.cast(pa.float64())
    if pa.types.is_floating(values.type):
        values = pc.if_else(pc.is_nan(values), None, values)
    if kind == "boolean" and (pa.types.is_string(values.type) or pa.types.is_large_string(values.type)):
        values = pc.utf8_lower(values)
    if kind == "category" and pa.types.is_integer(values.type):
        values = values.cast(pa.string())
    return values


def _range(feature: Mapping[str, Any], column: Matrix) -> dict[str, Any]:
    values = column[~np.isnan(column)]
    if feature["type"] not in NUMERIC or not values.size:
        return {}
    lowest, highest = shortest(np.array([values.min(), values.max()]))
    return {"observed": {"minimum": lowest, "maximum": highest}}
