"""Reads what holds other parts: Pipeline, ColumnTransformer, FeatureUnion."""

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import numpy as np

from paygrade.saving.errors import SaveRefused
from paygrade.saving.program import Program
from paygrade.saving.reading import Traced, class_name, dtypes_of, is_sparse, trace


def read_pipeline(program: Program, pipeline: Any, traced: Traced, values: Any) -> list[int]:
    for _, part in pipeline.steps:
        if not is_passthrough(part):
            traced = trace(program, part, traced)
    return traced.columns


def read_column_transformer(program: Program, transformer: Any, traced: Traced, values: Any) -> list[int]:
    parts = []
    for name, part, _ in transformer.transformers_:
        positions = transformer._transformer_to_input_indices[name]
        if part != "drop" and len(positions):
            taken = _trace_part(program, transformer, part, traced, positions)
            parts.append(_weigh(program, taken, transformer, name))
    return stack(program, parts, bool(transformer.sparse_output_))


def read_feature_union(program: Program, union: Any, traced: Traced, values: Any) -> list[int]:
    parts = []
    for name, part in union.transformer_list:
        if part != "drop":
            taken = traced if is_passthrough(part) else trace(program, part, traced)
            parts.append(_weigh(program, taken, union, name))
    return stack(program, parts, any(is_sparse(part.values) for part in parts))


def is_passthrough(part: Any) -> bool:
    return part is None or (isinstance(part, str) and part == "passthrough")


def stack(program: Program, parts: Iterable[Traced], sparse: bool) -> list[int]:
    """Put columns side by side: all of them stored sparsely, or all of them densely."""
    stacked: list[int] = []
    for part in parts:
        if is_sparse(part.values) == sparse:
            stacked += part.columns
        elif sparse:
            _require_stored(program, part)
            made = [replace(program[column], dense=column) for column in part.columns]
            stacked += program.add("sparse", part.columns, made)
        else:
            for column in part.columns:
                dense = program[column].dense
                stacked += program.add("dense", [column]) if dense is None else [dense]
    return stacked


def _weigh(program: Program, part: Traced, container: Any, name: str) -> Traced:
    """Multiply all columns by the weight that the container gives to this part."""
    weight = (container.transformer_weights or {}).get(name)
    if weight is None or not part.columns:
        return part
    values = part.values * weight
    columns: list[int] = []
    for column, dtype in zip(part.columns, dtypes_of(values), strict=True):
        if dtype not in ("float32", "float64"):
            raise SaveRefused(
                f"{class_name(container)} has a weight for {program[column].label!r}, whose type is "
                f"{dtype}; give its encoder dtype=float, or leave out transformer_weights"
            )
        factor = {"do": "multiply", "by": [float(weight)], "dtype": dtype}
        columns += program.add(
            "scale", [column], [replace(program[column], dense=None)], dtype=dtype, operations=[factor]
        )
    return Traced(values, columns)


def _require_stored(program: Program, part: Traced) -> None:
    for column in part.columns:
        if not program[column].sure:
            raise SaveRefused(
                f"zeros of {program[column].label!r} are left out of a sparse matrix, and its last bits "
                "differ between processors; give the ColumnTransformer sparse_threshold=0"
            )


def _trace_part(
    program: Program, transformer: Any, part: Any, traced: Traced, positions: list[int]
) -> Traced:
    chosen = [traced.columns[position] for position in _positions(transformer, traced, positions)]
    selected = _select(transformer, traced.values, positions)
    if is_passthrough(part):
        return Traced(selected, chosen)
    return trace(program, part, Traced(selected, chosen))


def _positions(transformer: Any, traced: Traced, positions: list[int]) -> list[int]:
    """A frame is selected from by the names that the transformer was fitted on."""
    if not hasattr(traced.values, "columns"):
        return list(positions)
    if not hasattr(transformer, "feature_names_in_"):
        raise SaveRefused(
            f"{class_name(transformer)} was fitted on an array without names of columns; fit the pipeline "
            "on a DataFrame"
        )
    names = list(traced.values.columns)
    return [names.index(transformer.feature_names_in_[position]) for position in positions]


def _select(transformer: Any, values: Any, positions: list[int]) -> Any:
    if hasattr(values, "columns"):
        return values[[transformer.feature_names_in_[position] for position in positions]]
    return values[:, np.asarray(positions)]
