"""Reads FunctionTransformer: functions of NumPy only."""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

import numpy as np

from paygrade.saving.errors import SaveRefused
from paygrade.saving.program import Program
from paygrade.saving.raw import NARROW_INTEGERS, WIDE_INTEGERS
from paygrade.saving.reading import Traced, dtypes_of, require_dense, require_numeric
from paygrade.steps.function import EXACT, INEXACT

FUNCTIONS: Mapping[Any, str] = {function: name for name, function in {**EXACT, **INEXACT}.items()}
CAST = "cast the column to float64 first"


def read_function(program: Program, transformer: Any, traced: Traced, values: Any) -> list[int]:
    if transformer.func is None:
        return traced.columns
    require_dense(transformer, traced)
    require_numeric(program, transformer, traced.columns)
    kind, members = describe_function(transformer.func, transformer.kw_args)
    made = []
    inputs, outputs = dtypes_of(traced.values), dtypes_of(values)
    for column, before, after in zip(traced.columns, inputs, outputs, strict=True):
        like = program[column]
        inexact = members.get("name") in INEXACT
        name = getattr(transformer.func, "__name__", kind)
        overflows = members.get("name") == "square" and before in WIDE_INTEGERS
        if overflows or before in ("bool", "object", "float16", *NARROW_INTEGERS):
            raise SaveRefused(f"{name} of {like.label!r} is calculated with values of type {before}; {CAST}")
        if inexact and after == "float32":
            raise SaveRefused(
                f"{name} of {like.label!r} is calculated in float32, whose last bits differ between "
                f"processors; {CAST}"
            )
        dtype = after if after in ("float32", "float64") else "float64"
        label = f"{name}({like.label})"
        column_made = replace(
            like, label=label, inexact=inexact or like.inexact, sure=not like.inexact, dense=None
        )
        made += program.add(kind, [column], [column_made], dtype=dtype, **members)
    return made


def describe_function(function: Callable[..., Any], arguments: Any) -> tuple[str, dict[str, Any]]:
    """Return the kind of step that a function is, and its members; raises SaveRefused."""
    arguments = dict(arguments or {})
    if function is np.clip:
        return "clip", _limits(arguments)
    name = FUNCTIONS.get(function) if isinstance(function, np.ufunc) else None
    if name is None or arguments:
        described = getattr(function, "__name__", str(function))
        with_arguments = f" with {', '.join(arguments)}" if arguments and name else ""
        raise SaveRefused(
            f"FunctionTransformer of {described}{with_arguments} cannot be written as data; calculate the "
            f"column in the table itself, or use NumPy's clip, {', '.join(sorted(set(FUNCTIONS.values())))}"
        )
    return "function", {"name": name}


def _limits(arguments: dict[str, Any]) -> dict[str, Any]:
    limits = {}
    for member, names in (("low", ("a_min", "min")), ("high", ("a_max", "max"))):
        for name in names:
            limit = arguments.pop(name, None)
            if limit is None:
                continue
            if isinstance(limit, bool) or not isinstance(limit, int | float | np.number):
                raise SaveRefused(
                    f"clip has {name}={limit!r}; only one number for all columns can be written"
                )
            limits[member] = float(limit)
    if arguments or not limits:
        raise SaveRefused(
            f"clip has the arguments {', '.join(arguments) or 'none'}; give it a_min and a_max alone"
        )
    return limits
