"""Reads scalers."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from paygrade.saving.errors import SaveRefused
from paygrade.saving.program import Program, require_exact
from paygrade.saving.reading import Traced, dtypes_of, is_sparse, require_numeric

SCALERS = ("MaxAbsScaler", "MinMaxScaler", "RobustScaler", "StandardScaler")
LAST_BITS = 2.0**-29
"""The difference of numbers that are relatively as close as this is not known to float32's last bit."""


def read_scaler(program: Program, scaler: Any, traced: Traced, values: Any) -> list[int]:
    require_numeric(program, scaler, traced.columns)
    _require_exact_centers(program, scaler, traced)
    dtype = dtypes_of(values)[0]
    members = scaling(scaler, dtype, is_sparse(traced.values))
    shifted = any(operation["do"] in ("add", "subtract") for operation in members["operations"])
    like = [program[column] for column in traced.columns]
    made = [replace(one, sure=one.sure and not (one.inexact and shifted), dense=None) for one in like]
    return program.add("scale", traced.columns, made, **members)


def _require_exact_centers(program: Program, scaler: Any, traced: Traced) -> None:
    """Refuse to center a bent column by one of its values: what is left of that value is its last bits."""
    bent = any(program[column].inexact for column in traced.columns)
    if type(scaler).__name__ == "RobustScaler" and scaler.with_centering:
        require_exact(program, traced.columns, "RobustScaler with centering")
    elif type(scaler).__name__ == "StandardScaler" and scaler.with_mean and bent:
        for column, values, mean in zip(
            traced.columns, np.asarray(traced.values, np.float64).T, scaler.mean_, strict=True
        ):
            present = values[~np.isnan(values)]
            distances = np.abs(present - mean)
            if (distances <= LAST_BITS * abs(mean)).any() and np.ptp(present):
                require_exact(program, [column], "StandardScaler, whose mean is one of them,")


def scaling(scaler: Any, dtype: str, sparse: bool) -> dict[str, Any]:
    """Return the members of a step that does what the scaler does to values of this type."""
    name, clip = type(scaler).__name__, None
    if sparse:
        factors = None if getattr(scaler, "scale_", None) is None else 1.0 / scaler.scale_
        operations = [_operation("multiply", factors, dtype)]
        clip = [-1.0, 1.0] if name == "MaxAbsScaler" and getattr(scaler, "clip", False) else None
    elif name == "MinMaxScaler":
        operations = [_operation("multiply", scaler.scale_), _operation("add", scaler.min_)]
        clip = [float(limit) for limit in scaler.feature_range] if scaler.clip else None
    elif name == "StandardScaler":
        operations = [_operation("subtract", scaler.mean_ if scaler.with_mean else None, dtype)]
        operations += [_operation("divide", scaler.scale_, dtype)]
    elif name == "RobustScaler":
        operations = [_operation("subtract", scaler.center_), _operation("divide", scaler.scale_)]
    else:
        operations = [_operation("divide", scaler.scale_)]
        clip = [-1.0, 1.0] if getattr(scaler, "clip", False) else None
    return _members(dtype, operations, clip)


def inverse_scaling(scaler: Any, dtype: str) -> dict[str, Any]:
    """Return the members of a step that undoes what the scaler does."""
    name = type(scaler).__name__
    if name == "MinMaxScaler":
        operations = [_operation("subtract", scaler.min_), _operation("divide", scaler.scale_)]
    elif name == "StandardScaler":
        operations = [_operation("multiply", scaler.scale_, dtype)]
        operations += [_operation("add", scaler.mean_ if scaler.with_mean else None, dtype)]
    elif name == "RobustScaler":
        operations = [_operation("multiply", scaler.scale_), _operation("add", scaler.center_)]
    else:
        operations = [_operation("multiply", scaler.scale_)]
    return _members(dtype, operations, None)


def _operation(do: str, by: Any, dtype: str = "") -> dict[str, Any]:
    """Empty without operands, which keep their own type unless scikit-learn converts them to `dtype`."""
    if by is None:
        return {}
    operands = np.asarray(by)
    if not np.isfinite(operands).all():
        raise SaveRefused(
            "a scaler was fitted on a column without a single finite value; leave that column out"
        )
    used = np.dtype(dtype or operands.dtype)
    return {"do": do, "by": operands.astype(used).astype(np.float64).tolist(), "dtype": str(used)}


def _members(dtype: str, operations: Sequence[dict[str, Any]], clip: list[float] | None) -> dict[str, Any]:
    done = [operation for operation in operations if operation]
    return {"dtype": dtype, "operations": done, **({} if clip is None else {"clip": clip})}
