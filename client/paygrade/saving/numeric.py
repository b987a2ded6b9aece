"""Reads what compares, bends or multiplies numbers."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from paygrade.saving.errors import SaveRefused
from paygrade.saving.functions import CAST
from paygrade.saving.lookup_table import LookupTable
from paygrade.saving.program import Made, Program, require_exact
from paygrade.saving.reading import Traced, dtypes_of, float_type, require_dense, require_numeric
from paygrade.saving.scalers import scaling


def read_bins(program: Program, binner: Any, traced: Traced, values: Any) -> list[int]:
    _require_comparable(program, binner, traced)
    dtype = float_type(traced.values) if binner.dtype is None else str(np.dtype(binner.dtype))
    ordinal = []
    for column, edges in zip(traced.columns, binner.bin_edges_, strict=True):
        ordinal += program.add("bin", [column], dtype=dtype, edges=[float(edge) for edge in edges[1:-1]])
    if binner.encode == "ordinal":
        return ordinal
    made: list[int] = []
    for number, count in zip(ordinal, binner.n_bins_, strict=True):
        table = LookupTable({float(each): each for each in range(int(count))}, -1, -1)
        labels = [Made(f"{program[number].label}=bin {each}") for each in range(int(count))]
        made += program.add_table("one_hot", number, labels, table, width=int(count))
    if binner.encode == "onehot":
        return program.add("sparse", made, [replace(program[number], dense=number) for number in made])
    return made


def read_binarizer(program: Program, binarizer: Any, traced: Traced, values: Any) -> list[int]:
    _require_comparable(program, binarizer, traced)
    dtype = float_type(traced.values)
    return program.add("threshold", traced.columns, dtype=dtype, threshold=float(binarizer.threshold))


def read_quantiles(program: Program, transformer: Any, traced: Traced, values: Any) -> list[int]:
    _require_comparable(program, transformer, traced)
    normal = transformer.output_distribution == "normal"
    dtype, made = float_type(traced.values), []
    for position, column in enumerate(traced.columns):
        like = replace(program[column], inexact=normal, sure=not normal, dense=None)
        kind = "normal_quantile" if normal else "quantile"
        made += program.add(kind, [column], [like], dtype=dtype, **quantile_points(transformer, position))
    return made


def quantile_points(transformer: Any, position: int) -> dict[str, Any]:
    """Return the points between which the values of a column are interpolated."""
    quantiles = transformer.quantiles_[:, position].astype(float).tolist()
    return {"quantiles": quantiles, "references": transformer.references_.astype(float).tolist()}


def read_powers(program: Program, transformer: Any, traced: Traced, values: Any) -> list[int]:
    require_dense(transformer, traced)
    require_numeric(program, transformer, traced.columns)
    dtype = float_type(traced.values)
    if dtype == "float32":
        raise SaveRefused(
            f"PowerTransformer of {program[traced.columns[0]].label!r} is calculated in float32, whose last "
            f"bits differ between processors; {CAST}"
        )
    method = transformer.method.replace("-", "_")
    powers = [float(power) for power in transformer.lambdas_]
    bent = [replace(program[column], inexact=True, sure=False, dense=None) for column in traced.columns]
    made = program.add("power", traced.columns, bent, dtype=dtype, method=method, powers=powers)
    if transformer.standardize:
        return program.add("scale", made, **scaling(transformer._scaler, dtype, sparse=False))
    return made


def read_products(program: Program, transformer: Any, traced: Traced, values: Any) -> list[int]:
    require_dense(transformer, traced)
    require_numeric(program, transformer, traced.columns)
    terms = [list(term) for term in _terms(transformer)]
    made = [_product([program[traced.columns[factor]] for factor in term]) for term in terms]
    return program.add("product", traced.columns, made, dtype=dtypes_of(values)[0], terms=terms)


def _product(factors: Sequence[Made]) -> Made:
    inexact = any(factor.inexact for factor in factors)
    return Made("*".join(factor.label for factor in factors) or "1", inexact=inexact, sure=not inexact)


def _terms(transformer: Any) -> Any:
    """Return the positions of each product's factors, in the order of the products."""
    return transformer._combinations(
        n_features=transformer.n_features_in_,
        min_degree=transformer._min_degree,
        max_degree=transformer._max_degree,
        interaction_only=transformer.interaction_only,
        include_bias=transformer.include_bias,
    )


def _require_comparable(program: Program, transformer: Any, traced: Traced) -> None:
    require_dense(transformer, traced)
    require_numeric(program, transformer, traced.columns)
    require_exact(program, traced.columns, type(transformer).__name__)
