"""What shows, without the author's scores, that a booster is read otherwise than in training."""

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import xgboost

from model.description.schema import Schema
from model.importing.options import ImportOptions
from model.importing.possible_scores import possible_scores
from model.importing.probes import thresholds
from model.importing.reading import SENTINELS, Reading, changes
from model.importing.sample import Sample
from model.importing.target_error import measure, read_target
from model.preparation import preparation_of

BELIEVED = ("zeros", "missing", "order")
"""The changes that are looked for; more trees fit closer, and so may any number that is added."""
GUESSED = (
    "say with --transform what was done to the target; only its author's scores (--scores) tell for sure"
)
CLEARLY = 0.9
"""Another way to read is believed if its error is less than this share of the error."""
ONLY_ONES = (2.00001, -9.536743e-07)
"""The thresholds of XGBoost's tree methods (hist, exact) where a column is 1 or missing."""
FEWEST_VALUES = 4


def find_fault(reading: Reading, sample: Sample, options: ImportOptions, others: Sequence[str]) -> str:
    """Say in one line what is wrong with the reading, and what to add; empty if nothing seems wrong."""
    if options.target in sample.table.columns.column_names:
        return _smaller_error(reading, sample, options, others) or _sparse_training(reading)
    return _sparse_training(reading) or _far_sentinel(reading)


class _Measured(NamedTuple):
    error: float
    constant: float
    causes: list[str]
    remedies: list[str]


def _smaller_error(reading: Reading, sample: Sample, options: ImportOptions, others: Sequence[str]) -> str:
    """Look for a way to read that is much closer to the target."""
    found = list(_measure_each(reading, sample, options, others))
    if not found:
        return ""
    ours = min((one.error for one in found if not one.causes), default=np.inf)
    best = min(found, key=lambda one: (one.error, len(one.causes)))
    if best.error >= CLEARLY * min(ours, best.constant):
        return ""
    return (
        f"the error on {options.target!r} would be {best.error:.4g} instead of {ours:.4g} if "
        f"{' and '.join(best.causes)}; {', and '.join(best.remedies)}"
    )


def _measure_each(
    reading: Reading, sample: Sample, options: ImportOptions, others: Sequence[str]
) -> Iterator[_Measured]:
    target = read_target(sample.table, options.target)
    if target is None:
        return
    found = [change for change in changes(reading, sample.table, others) if change.dimension in BELIEVED]
    for change in (None, *found):
        read = replace(reading, **change.fields) if change else reading
        for possible in possible_scores(read, read.scores(), options.transform, options.classes):
            if possible.because and not possible.remedy.startswith("add --transform"):
                continue
            error = measure(reading.objective, possible.scores, target, options.classes)
            if error and np.isfinite(error.deciding[0]):
                parts = [part for part in (change, possible) if part and part.because]
                remedies = [GUESSED if one is possible else one.remedy for one in parts]
                causes = [one.because for one in parts]
                yield _Measured(*error.deciding, causes, remedies)


def _sparse_training(reading: Reading) -> str:
    """Recognise columns of 0 and 1 that the trees never split between 0 and 1: zeros were missing."""
    features, _ = preparation_of(reading.schema, reading.missing).split(reading.matrix)
    only_ones = _columns_of_ones(reading.booster)
    flags = [column for column in only_ones if np.array_equal(np.unique(features[:, column]), [0, 1])]
    return _sparse(reading.schema, flags) if flags else ""


def find_sparse_training(booster: xgboost.Booster, schema: Schema) -> str:
    """Recognise, without rows, a booster whose one-hot columns had no zeros in training."""
    only_ones = _columns_of_ones(booster)
    zeros_missing = any(feature.zero_is_missing for feature in schema.features)
    return _sparse(schema, only_ones) if len(only_ones) > 1 and not zeros_missing else ""


def _columns_of_ones(booster: xgboost.Booster) -> list[int]:
    """Return the columns that were 1 or missing in training, by the thresholds that XGBoost then takes."""
    return [
        column
        for column, found in thresholds(booster).items()
        if np.isclose(np.unique(found)[:, None], ONLY_ONES, rtol=0, atol=1e-7).any(axis=1).all()
    ]


def _sparse(schema: Schema, columns: Sequence[int]) -> str:
    return (
        f"the trees never split {schema.tree_features[columns[0]]!r} between 0 and 1 ({len(columns)} such "
        "columns), only between missing and present: zeros were missing in training, as in a sparse matrix; "
        "add --zero-is-missing"
    )


def _far_sentinel(reading: Reading) -> str:
    """Find a number far from all others of its column, which usually stands for a missing value."""
    features, _ = preparation_of(reading.schema, reading.missing).split(reading.matrix)
    for name, column in zip(reading.schema.tree_features, features.T, strict=True):
        values, counts = np.unique(column[~np.isnan(column)], return_counts=True)
        if len(values) < FEWEST_VALUES:
            continue
        for at, rest in ((0, values[1:]), (-1, values[:-1])):
            distance = np.abs(rest - values[at]).min()
            if values[at] in SENTINELS and counts[at] > 1 and distance > np.ptp(rest) / 2:
                return (
                    f"the sample has {values[at]:g} {counts[at]} times in {name!r}, far from other numbers; "
                    f"if it stood for a missing value in training, add --missing-value {values[at]:g}"
                )
    return ""
