"""A table of pandas or polars, in the same way whichever it is of. Neither is imported for that."""

import sys
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Protocol

from paygrade.errors import InvalidInput
from paygrade.resources import Model, Row
from paygrade.tables.columns import ColumnType, ScoreColumn
from paygrade.values import plain

ROWS_AT_ONCE = 10_000
"""Rows that are made plain together: few enough for any memory, and many enough to be fast."""


class Library(Protocol):
    """What is asked of a library's tables."""

    def names(self, table: Any) -> list[str]: ...

    def values(self, table: Any, position: int, start: int, end: int) -> list[Any]:
        """The values of the column at this position, from one row to another."""

    def with_columns(self, table: Any, columns: Mapping[str, ScoreColumn]) -> Any:
        """A new table with these columns after its own; the other one stays as it is."""


class Frame:
    def __init__(self, table: Any, library: Library) -> None:
        self._table = table
        self._library = library
        self.names = library.names(table)

    def __len__(self) -> int:
        return len(self._table)

    def features_of(self, model: Model) -> list[str]:
        """The columns that are features. Raises InvalidInput if one is missing, or is there twice."""
        row = model["row"]
        for name in row["required"]:
            if name not in self.names:
                near = get_close_matches(name, self.names, 1, 0.6)
                there = f"is {near[0]}" if near else f"are {', '.join(self.names[:10]) or 'none'}"
                raise InvalidInput(
                    f"the table has no column {name}, a feature of {model['name']}; there {there}"
                )
        features = [name for name in row["properties"] if name in self.names]
        for name in features:
            if self.names.count(name) > 1:
                raise InvalidInput(f"the table has {self.names.count(name)} columns {name}; one must be left")
        return features

    def rows(self, features: Sequence[str]) -> Iterator[Row]:
        """Each row as it is sent, with these columns only."""
        positions = [self.names.index(name) for name in features]
        for start in range(0, len(self), ROWS_AT_ONCE):
            end = min(start + ROWS_AT_ONCE, len(self))
            columns = [
                [plain(value, name) for value in self._library.values(self._table, position, start, end)]
                for name, position in zip(features, positions, strict=True)
            ]
            for at in range(end - start):
                yield {name: column[at] for name, column in zip(features, columns, strict=True)}

    def check_free(self, names: Iterable[str]) -> None:
        """Raises InvalidInput if the table has a column of such a name."""
        for name in names:
            if name in self.names:
                raise InvalidInput(f"the table has a column {name} already; name a prefix for the scores")

    def with_columns(self, columns: Mapping[str, ScoreColumn]) -> Any:
        """Raises InvalidInput if the table has a column of such a name."""
        self.check_free(columns)
        return self._library.with_columns(self._table, columns)


class Pandas:
    TYPES: Mapping[ColumnType, str] = {
        "float32": "float32",
        "float64": "float64",
        "integer": "int64",
        "text": "object",
    }

    def names(self, table: Any) -> list[str]:
        return [str(name) for name in table.columns]

    def values(self, table: Any, position: int, start: int, end: int) -> list[Any]:
        values: list[Any] = table.iloc[start:end, position].tolist()
        return values

    def with_columns(self, table: Any, columns: Mapping[str, ScoreColumn]) -> Any:
        series = sys.modules["pandas"].Series
        return table.assign(
            **{
                name: series(column.values, index=table.index, dtype=self._type(column))
                for name, column in columns.items()
            }
        )

    def _type(self, column: ScoreColumn) -> str:
        """Whole numbers of which some are missing would become fractions in a plain column of numbers."""
        return "Int64" if column.type == "integer" and None in column.values else self.TYPES[column.type]


class Polars:
    TYPES: Mapping[ColumnType, str] = {
        "float32": "Float32",
        "float64": "Float64",
        "integer": "Int64",
        "text": "String",
    }

    def names(self, table: Any) -> list[str]:
        return list(table.columns)

    def values(self, table: Any, position: int, start: int, end: int) -> list[Any]:
        values: list[Any] = table.to_series(position).slice(start, end - start).to_list()
        return values

    def with_columns(self, table: Any, columns: Mapping[str, ScoreColumn]) -> Any:
        polars = sys.modules["polars"]
        return table.with_columns(
            polars.Series(name, column.values, dtype=getattr(polars, self.TYPES[column.type]))
            for name, column in columns.items()
        )


LIBRARIES: Mapping[str, Callable[[], Library]] = {"pandas": Pandas, "polars": Polars}


def frame_of(given: Any) -> Frame | None:
    """None for what is no table. Raises InvalidInput for one that is not there yet."""
    for name, library in LIBRARIES.items():
        module = sys.modules.get(name)  # whoever has a table has imported its library
        if module is not None and isinstance(given, module.DataFrame):
            return Frame(given, library())
    if type(given).__name__ == "LazyFrame":
        raise InvalidInput("a LazyFrame has no rows yet; collect() it first")
    return None


def single_row(given: Any) -> Row | None:
    """A row as a mapping, or as a Series of pandas; None for anything else."""
    if isinstance(given, Mapping):
        return given
    pandas = sys.modules.get("pandas")
    if pandas is not None and isinstance(given, pandas.Series):
        row: Row = given.to_dict()
        return row
    return None
