"""A table prepared for training: columns, schema and target."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.description.errors import SchemaError
from model.description.features import NUMERIC
from model.description.schema import Schema
from model.tables.table import Table, TableError, read_json
from model.training.column import TableColumn, read_column
from model.training.date_column import read_dates
from model.training.target import Target, TargetOptions, read_target

MIN_ROWS = 10
LIMIT_FIELDS = {"type", "nullable", "description", "minimum", "maximum", "unseen"}
"""The fields of a feature that the owner may set; the others are found in the table."""


@dataclass(frozen=True)
class DatasetOptions:
    """Which columns to learn from, and how; `limits` are fields of features, by the feature's name."""

    target: str
    target_options: TargetOptions
    drop: Sequence[str] = ()
    base_margin: str = ""
    limits: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Dataset:
    """`columns` are the features in order; `notes` tell which columns and rows were left out, and why."""

    columns: Sequence[TableColumn]
    schema: Schema
    target: Target
    notes: Sequence[str] = ()

    @property
    def matrix(self) -> NDArray[np.float32]:
        """The features of all rows: (rows, columns)."""
        return np.column_stack([column.values for column in self.columns]).astype(np.float32)

    @property
    def rows(self) -> int:
        return len(self.target.labels)

    def row(self, number: int) -> dict[str, Any]:
        """Return a row as a caller would send it."""
        return {column.name: column.value(number) for column in self.columns}


def read_limits(file: Path) -> dict[str, dict[str, Any]]:
    """Read a JSON object with LIMIT_FIELDS for each feature; raises TableError."""
    limits = read_json(file)
    if not isinstance(limits, dict) or not all(isinstance(fields, dict) for fields in limits.values()):
        raise TableError(f'{file}: must hold an object of features, such as {{"years": {{"minimum": 0}}}}')
    for name, fields in limits.items():
        if unknown := sorted(fields.keys() - LIMIT_FIELDS):
            raise TableError(
                f"{file}: feature {name!r} has the field {unknown[0]!r}; "
                f"the allowed fields are {', '.join(sorted(LIMIT_FIELDS))}"
            )
    return limits


def make_dataset(table: Table, options: DatasetOptions) -> Dataset:
    """Select and convert columns and rows; raises TableError or SchemaError."""
    _check_names(table, options)
    target = read_column(options.target, table.columns[options.target])
    notes = [*table.notes]
    columns = _read_features(table, options, notes)
    labelled = ~target.missing
    if not labelled.all():
        notes.append(f"{np.sum(~labelled)} rows have no {options.target!r} and are left out")
    columns, target = [column.select(labelled) for column in columns], target.select(labelled)
    within = _within_limits(columns, _make_schema(columns, options))
    if not within.all():
        notes.append(f"{np.sum(~within)} rows are outside the limits and are left out")
    columns, target = [column.select(within) for column in columns], target.select(within)
    if len(target.values) < MIN_ROWS:
        raise TableError(
            f"{table.file} has {len(target.values)} rows to learn from; at least {MIN_ROWS} are needed"
        )
    schema = _make_schema(columns, options)
    return Dataset(columns, schema, read_target(target, options.target_options), notes)


def _check_names(table: Table, options: DatasetOptions) -> None:
    names = table.columns.column_names
    used = [options.target, *options.drop, *options.limits]
    for name in [*used, options.base_margin] if options.base_margin else used:
        if name not in names:
            raise TableError(f"{table.file} has no column {name!r}; it has {', '.join(map(repr, names))}")


def _read_features(table: Table, options: DatasetOptions, notes: list[str]) -> list[TableColumn]:
    """Read the columns to learn from; adds to `notes` the columns that are left out."""
    excluded = {options.target, *options.drop}
    columns = []
    for name in table.columns.column_names:
        if name in excluded:
            continue
        column = read_dates(name, table.columns[name]) or read_column(name, table.columns[name])
        if column.is_identifier:  # useless for learning, and the bundle would list every text
            notes.append(f"column {name!r} has {len(column.texts)} different texts and is left out")
        else:
            columns.append(column)
    if not columns:
        raise TableError(f"{table.file} has no column to learn from besides {options.target!r}")
    return columns


def _make_schema(columns: Sequence[TableColumn], options: DatasetOptions) -> Schema:
    definitions = []
    for column in columns:
        definition = {**_define_feature(column), **options.limits.get(column.name, {})}
        if column.name == options.base_margin:
            definition |= {"type": "number", "base_margin": True}
        definitions.append(definition)
    return Schema.from_list(definitions)


def _define_feature(column: TableColumn) -> dict[str, Any]:
    """Define a feature by what the table shows."""
    definition: dict[str, Any] = {"name": column.name, "type": column.type}
    if column.missing.any():
        definition["nullable"] = True
    if column.type == "category":
        definition["categories"] = list(column.texts)
    if column.type in NUMERIC and not column.missing.all():
        lowest, highest = float(np.nanmin(column.values)), float(np.nanmax(column.values))
        if column.whole:
            lowest, highest = int(lowest), int(highest)
        definition["observed"] = {"minimum": lowest, "maximum": highest}
    return definition


def _within_limits(columns: Sequence[TableColumn], schema: Schema) -> NDArray[np.bool_]:
    """Return which rows respect the owner's limits; raises SchemaError for missing values."""
    within = np.ones(len(columns[0].values), dtype=bool)
    for column, feature in zip(columns, schema.features, strict=True):
        if column.missing.any() and not feature.nullable:
            raise SchemaError(
                f"feature {column.name!r} is not nullable by its limits, but is missing in some rows"
            )
        if feature.minimum is not None:
            within &= ~(column.values < feature.minimum)
        if feature.maximum is not None:
            within &= ~(column.values > feature.maximum)
    return within
