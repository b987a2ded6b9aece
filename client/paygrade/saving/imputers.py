"""Reads SimpleImputer and MissingIndicator."""

import math
from typing import Any

import numpy as np

from paygrade.saving.errors import SaveRefused
from paygrade.saving.lookup_table import LookupTable
from paygrade.saving.program import Made, Program, require_exact
from paygrade.saving.raw import is_missing
from paygrade.saving.reading import Traced, class_name, dtypes_of, require_dense


def read_imputer(program: Program, imputer: Any, traced: Traced, values: Any) -> list[int]:
    require_dense(imputer, traced)
    made = []
    statistics = imputer.statistics_.tolist()
    for column, statistic in zip(traced.columns, statistics, strict=True):
        if is_missing(statistic) and not imputer.keep_empty_features:
            continue
        if program[column].text_of:
            made += _impute_text(program, imputer, column, statistic)
        else:
            made += _impute_number(program, imputer, column, statistic, dtypes_of(values)[len(made)])
    if imputer.add_indicator:
        made += _indicate(program, imputer, traced, imputer.indicator_.features_)
    return made


def read_indicator(program: Program, indicator: Any, traced: Traced, values: Any) -> list[int]:
    require_dense(indicator, traced)
    if indicator.sparse is True or (indicator.features == "missing-only" and indicator.error_on_new):
        raise SaveRefused(
            "MissingIndicator that is sparse, or that raises for new missing values, is not supported; "
            'give it sparse=False and error_on_new=False, or features="all"'
        )
    return _indicate(program, indicator, traced, indicator.features_)


def _impute_number(program: Program, imputer: Any, column: int, statistic: Any, dtype: str) -> list[int]:
    missing = _missing_number(program, imputer, column)
    if isinstance(statistic, str):
        raise SaveRefused(
            f"{class_name(imputer)} fills text into {program[column].label!r}, which holds numbers; give "
            "text and numbers an imputer each"
        )
    fill = float(np.asarray(statistic).astype(imputer._fill_dtype)) if statistic is not None else math.nan
    known = dtype if dtype in ("float32", "float64") else "float64"
    return program.add("impute", [column], dtype=known, fill=[_or_null(fill)], missing=_or_null(missing))


def _impute_text(program: Program, imputer: Any, column: int, statistic: Any) -> list[int]:
    made = program[column]
    raw = made.text_of
    fill = statistic if isinstance(statistic, str) else str(statistic)
    sign = imputer.missing_values
    if isinstance(sign, str):
        table = LookupTable({sign: fill}, -1, math.nan, to_text=True)
    elif raw and is_missing(sign) and _same_sign(sign, raw.missing):
        table = LookupTable({}, -1, fill, to_text=True)
    else:
        raise SaveRefused(
            f"{class_name(imputer)} looks for {sign!r} in {made.label!r}, which marks missing values with "
            f"{raw.missing if raw else None!r}; use the same sign in both"
        )
    return program.add_table("lookup", column, [made], table)


def _same_sign(sign: Any, missing: Any) -> bool:
    """None, NaN and pandas' NA are three signs."""
    return type(sign).__name__ == type(missing).__name__ or (
        isinstance(sign, float | np.floating) and isinstance(missing, float | np.floating)
    )


def _indicate(program: Program, imputer: Any, traced: Traced, positions: Any) -> list[int]:
    chosen = [traced.columns[position] for position in positions]
    made = []
    for column in chosen:
        missing = math.nan if program[column].text_of else _missing_number(program, imputer, column)
        if program[column].text_of and isinstance(imputer.missing_values, str):
            raise SaveRefused(
                f"{class_name(imputer)} indicates {imputer.missing_values!r} in {program[column].label!r}; "
                "mark missing values with NaN"
            )
        label = Made(f"{program[column].label} is missing")
        made += program.add("indicate", [column], [label], missing=_or_null(missing))
    return made


def _missing_number(program: Program, imputer: Any, column: int) -> float:
    sign = imputer.missing_values
    if is_missing(sign):
        return math.nan
    if isinstance(sign, str):
        raise SaveRefused(
            f"{class_name(imputer)} looks for {sign!r} in {program[column].label!r}, which holds numbers"
        )
    require_exact(program, [column], class_name(imputer))
    return float(sign)


def _or_null(number: float) -> float | None:
    return None if math.isnan(number) else number
