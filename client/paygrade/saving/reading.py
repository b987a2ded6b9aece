"""Reads fitted objects of scikit-learn, by their class: a closed list."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from paygrade.saving.errors import SaveRefused
from paygrade.saving.program import Program
from paygrade.saving.raw import type_name


class Traced(NamedTuple):
    """What flows between two parts of a pipeline: the sample's own values, and the numbers of the columns."""

    values: Any
    columns: list[int]


def trace(program: Program, transformer: Any, traced: Traced) -> Traced:
    """Follow the sample through a fitted transformer; raises SaveRefused for one that is not on the list."""
    name = class_name(transformer)
    reader = program.readers.get(name)
    if reader is None:
        raise SaveRefused(
            f"{name} is not among the steps that can be written as data; do its work before the pipeline, "
            f"in the table itself, or use one of {', '.join(sorted(program.readers))}"
        )
    require_fitted(transformer)
    values = transformer.transform(traced.values)
    if type(values).__module__.partition(".")[0] == "polars":
        raise SaveRefused(
            f"{name} gives frames of polars; call set_output(transform='default') on the pipeline"
        )
    if not values.shape[1]:
        return Traced(values, [])
    try:
        columns = reader(program, transformer, traced, values)
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        raise SaveRefused(
            f"{name} has other attributes than Paygrade knows ({error}); use scikit-learn 1.9"
        ) from error
    if values.shape[1] != len(columns):
        raise SaveRefused(
            f"{name} gives {values.shape[1]} columns, and its attributes describe {len(columns)}; fit the "
            "whole pipeline again, in one call"
        )
    return Traced(values, columns)


def class_name(instance: object) -> str:
    """Return the name of a class of scikit-learn or XGBoost, and the full name of any other."""
    kind = type(instance)
    package = kind.__module__.partition(".")[0]
    return (
        kind.__qualname__ if package in ("sklearn", "xgboost") else f"{kind.__module__}.{kind.__qualname__}"
    )


def require_fitted(transformer: Any) -> None:
    from sklearn.exceptions import NotFittedError
    from sklearn.utils.validation import check_is_fitted

    try:
        check_is_fitted(transformer)
    except NotFittedError:
        raise SaveRefused(
            f"{class_name(transformer)} is not fitted; call fit on the whole pipeline first"
        ) from None


def is_sparse(values: Any) -> bool:
    return hasattr(values, "tocsr")


def require_dense(transformer: Any, traced: Traced) -> None:
    if is_sparse(traced.values):
        raise SaveRefused(
            f"{class_name(transformer)} is given a sparse matrix, which is not supported; give the encoder "
            "before it sparse_output=False, or the ColumnTransformer sparse_threshold=0"
        )


def float_type(values: Any) -> str:
    """Return the type that scikit-learn computes in, float32 or float64, for these values."""
    from sklearn.utils import check_array

    checked = check_array(values, dtype=(np.float64, np.float32), accept_sparse=True, ensure_all_finite=False)
    return str(checked.dtype)


def dtypes_of(values: Any) -> list[str]:
    """Return the type of each column, in NumPy's words."""
    if hasattr(values, "dtypes"):
        return [type_name(dtype) for dtype in values.dtypes]
    return [str(values.dtype)] * values.shape[1]


def require_numeric(program: Program, transformer: Any, columns: Sequence[int]) -> None:
    for column in columns:
        if program[column].text_of:
            raise SaveRefused(f"{class_name(transformer)} is given text, in column {program[column].label!r}")
