"""Outputs as columns, with the names that results of batches have."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Literal, NamedTuple, TypeAlias

from paygrade.resources import Output

ColumnType: TypeAlias = Literal["float32", "float64", "integer", "text"]
ALWAYS_FLOAT64 = ("base",)
ALWAYS_THERE = ("prediction", "error")


class Column(NamedTuple):
    """`values` has None where a row has no value."""

    type: ColumnType
    values: list[Any]


def columns_of_outputs(outputs: Sequence[Output], scores: str) -> dict[str, Column]:
    """`scores` is the type of the model's scores: float32 or float64."""
    return columns_of_rows(map(_flat, outputs), len(outputs), scores)


def columns_of_rows(rows: Iterable[Mapping[str, Any]], number: int, scores: str) -> dict[str, Column]:
    """Rows whose members are the columns; `error` comes last, and is always there."""
    columns: dict[str, list[Any]] = {}
    for at, row in enumerate(rows):
        for name, value in row.items():
            if name not in columns:
                columns[name] = [None] * number
            columns[name][at] = value
    error = columns.pop("error", [None] * number)
    typed = {name: Column(_type_of(name, values, scores), values) for name, values in columns.items()}
    return {**typed, "error": Column("text", error)}


def _type_of(name: str, values: Sequence[Any], scores: str) -> ColumnType:
    present = [value for value in values if value is not None]
    if any(isinstance(value, str) for value in present) or name == "warnings":
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
