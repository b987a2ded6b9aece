"""A table made ready: features, matrix and target."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.description.errors import SchemaError
from model.description.feature import NUMERIC
from model.description.schema import Schema
from model.training.column import Column, read_column
from model.training.table import Table, TableError
from model.training.target import Aim, Target, read_target

FEWEST_ROWS = 10
OWNED = {"type", "nullable", "description", "minimum", "maximum"}
"""What the owner may say of a feature; the rest is seen in the table."""


@dataclass(frozen=True)
class Choices:
    """What of the table is to be learned from."""

    target: str
    aim: Aim
    drop: Sequence[str] = ()
    base_margin: str = ""
    limits: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True)
class Dataset:
    """`columns` are the features in order; `left_out` says what of the table is not there, and why."""

    columns: Sequence[Column]
    schema: Schema
    target: Target
    left_out: Sequence[str] = ()

    @property
    def matrix(self) -> NDArray[np.float32]:
        return np.column_stack([column.values for column in self.columns]).astype(np.float32)

    @property
    def rows(self) -> int:
        return len(self.target.labels)

    def row(self, number: int) -> dict[str, Any]:
        """One row as a caller would send it."""
        return {column.name: column.python(number) for column in self.columns}


def read_limits(file: Path) -> dict[str, dict[str, Any]]:
    """JSON: for each feature the owner's minimum, maximum, description, type or nullable."""
    try:
        limits = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise TableError(f"{file}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise TableError(f"{file}: is not JSON: {error}") from None
    if not isinstance(limits, dict) or not all(isinstance(one, dict) for one in limits.values()):
        raise TableError(f'{file}: must hold an object of features, as in {{"years": {{"minimum": 0}}}}')
    for name, said in limits.items():
        if unknown := sorted(said.keys() - OWNED):
            raise TableError(
                f"{file}: {name!r} has {unknown[0]!r}, which is none of {', '.join(sorted(OWNED))}"
            )
    return limits


def make_dataset(table: Table, choices: Choices) -> Dataset:
    """Raises TableError or SchemaError, in one line, for a table that cannot be learned from."""
    names = table.columns.column_names
    for name in (choices.target, *choices.drop, *choices.limits, *filter(None, [choices.base_margin])):
        if name not in names:
            raise TableError(f"{table.file} has no column {name!r}; it has {', '.join(map(repr, names))}")
    target = read_column(choices.target, table.columns[choices.target])
    used = [name for name in names if name != choices.target and name not in choices.drop]
    columns = [read_column(name, table.columns[name]) for name in used]
    # They could not be learned from, and all of them would stand in the bundle.
    left_out = [
        f"column {column.name!r} has {len(column.texts)} different texts: it is left out"
        for column in columns
        if column.names_rows
    ]
    columns = [column for column in columns if not column.names_rows]
    if not columns:
        raise TableError(f"{table.file} has no column to learn from beside {choices.target!r}")
    kept = ~target.missing
    if not kept.all():
        left_out.append(f"{np.sum(~kept)} rows have no {choices.target!r}: they are left out")
    columns, target = _only(columns, kept), _only([target], kept)[0]
    schema = _schema(columns, choices)
    within = _within(columns, schema)
    if not within.all():
        left_out.append(f"{np.sum(~within)} rows are outside the limits: they are left out")
    columns, target = _only(columns, within), _only([target], within)[0]
    if len(target.values) < FEWEST_ROWS:
        raise TableError(f"{len(target.values)} rows are too few to learn from: it takes {FEWEST_ROWS}")
    return Dataset(columns, _schema(columns, choices), read_target(target, choices.aim), left_out)


def _only(columns: Sequence[Column], rows: NDArray[np.bool_]) -> list[Column]:
    return [Column(one.name, one.type, one.values[rows], one.texts) for one in columns]


def _schema(columns: Sequence[Column], choices: Choices) -> Schema:
    definitions = []
    for column in columns:
        definition = {**_seen(column), **choices.limits.get(column.name, {})}
        if column.name == choices.base_margin:
            definition |= {"type": "number", "base_margin": True}
        definitions.append(definition)
    return Schema.from_list(definitions)


def _seen(column: Column) -> dict[str, Any]:
    """The feature as the table shows it."""
    definition: dict[str, Any] = {"name": column.name, "type": column.type}
    if column.missing.any():
        definition["nullable"] = True
    if column.type == "category":
        definition["categories"] = list(column.texts)
    if column.type in NUMERIC and not column.missing.all():
        definition["observed"] = {"minimum": _plain(column, np.nanmin), "maximum": _plain(column, np.nanmax)}
    return definition


def _plain(column: Column, extreme: Any) -> float:
    value = float(extreme(column.values))
    return int(value) if column.type == "integer" else value


def _within(columns: Sequence[Column], schema: Schema) -> NDArray[np.bool_]:
    """Which rows the owner's limits let through."""
    within = np.ones(len(columns[0].values), dtype=bool)
    for column, feature in zip(columns, schema.features, strict=True):
        if column.missing.any() and not feature.nullable:
            raise SchemaError(
                f"feature {column.name!r} is missing in some rows, and its limits do not allow it"
            )
        if feature.minimum is not None:
            within &= ~(column.values < feature.minimum)
        if feature.maximum is not None:
            within &= ~(column.values > feature.maximum)
    return within
