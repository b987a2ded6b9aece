"""Outputs as columns, with the names that results of batches have."""

from collections.abc import Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

from paygrade.resources import Output

ColumnType: TypeAlias = Literal["float32", "float64", "integer", "text"]
ALWAYS_FLOAT64 = ("base",)
TEXTS = ("warnings", "error")
ALWAYS_THERE = ("prediction", *TEXTS)


class ScoreColumn(NamedTuple):
    """`values` has None where a row has no value."""

    type: ColumnType
    values: list[Any]


class GrowingColumns:
    """The columns of so many rows, whose members come row by row; `scores` is the type of the scores."""

    def __init__(self, rows: int, scores: str) -> None:
        self._rows = rows
        self._scores = scores
        self._columns: dict[str, list[Any]] = {}
        self.added = 0

    def add(self, row: Mapping[str, Any]) -> None:
        if self.added < self._rows:
            for name, value in row.items():
                if name not in self._columns:
                    self._columns[name] = [None] * self._rows
                self._columns[name][self.added] = value
        self.added += 1

    def columns(self) -> dict[str, ScoreColumn]:
        """`warnings` and `error` come last, and are always there."""
        texts = {name: self._columns.get(name) or [None] * self._rows for name in TEXTS}
        return {
            name: ScoreColumn(_type_of(name, values, self._scores), values)
            for name, values in {**self._without(texts), **texts}.items()
        }

    def _without(self, texts: Mapping[str, Any]) -> Mapping[str, list[Any]]:
        return {name: values for name, values in self._columns.items() if name not in texts}


def columns_of_outputs(outputs: Sequence[Output], scores: str) -> dict[str, ScoreColumn]:
    columns = GrowingColumns(len(outputs), scores)
    for output in outputs:
        columns.add(_flat(output))
    return columns.columns()


def _type_of(name: str, values: Sequence[Any], scores: str) -> ColumnType:
    present = [value for value in values if value is not None]
    if any(isinstance(value, str) for value in present) or name in TEXTS:
        return "text"
    if present and all(isinstance(value, int) for value in present):
        return "integer"
    return "float64" if name in ALWAYS_FLOAT64 or scores == "float64" else "float32"


def _flat(output: Output) -> dict[str, Any]:
    """The members of an output as the columns of a row."""
    row: dict[str, Any] = {}
    for name, value in output.items():
        match name, value:
            case "error", {"detail": detail}:
                row[name] = detail
            case "warnings", [*sentences]:
                row[name] = "; ".join(map(str, sentences))
            case "interval", [low, high]:
                row |= {"interval_low": low, "interval_high": high}
            case ("probabilities" | "contributions") as several, {**each}:
                singular = {"probabilities": "probability", "contributions": "contribution"}[several]
                row |= {f"{singular}_{key}": number for key, number in each.items()}
            case _, {**each}:  # one for each target
                row |= {f"{name}_{key}": number for key, number in each.items()}
            case _:
                row[name] = value
    return row
