"""What shows, without the author's scores, that a booster is read otherwise than in training."""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import NamedTuple

import numpy as np
import xgboost

from model.description.schema import Schema
from model.importing.options import ImportOptions
from model.importing.possible_scores import possible_scores
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
    split = thresholds(reading.booster)
    flags = [column for column in split if np.array_equal(np.unique(features[:, column]), [0, 1])]
    useless = [column for column in flags if not any(0 < one <= 1 for one in split[column])]
    return _sparse(reading.schema, useless) if 2 * len(useless) > len(flags) else ""


def find_sparse_training(booster: xgboost.Booster, schema: Schema) -> str:
    """Recognise, without rows, the thresholds that XGBoost gives to columns with no other value than 1."""
    if any(feature.zero_is_missing for feature in schema.features):
        return ""
    split = thresholds(booster)
    single = {column: found[0] for column, found in split.items() if len(set(found)) == 1}
    useless = [
        column for column, one in single.items() if np.isclose(one, ONLY_ONES, rtol=0, atol=1e-7).any()
    ]
    return _sparse(schema, useless) if len(useless) > 1 else ""


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


def thresholds(booster: xgboost.Booster) -> dict[int, list[float]]:
    """Return the thresholds of all numeric splits, by the position of the feature."""
    model = json.loads(booster.save_raw("json"))["learner"]["gradient_booster"]
    model = model.get("gbtree", model).get("model", {})
    found: dict[int, list[float]] = {}
    for tree in model.get("trees", ()):
        for feature, threshold, child in zip(
            tree["split_indices"], tree["split_conditions"], tree["left_children"], strict=True
        ):
            if child != -1:  # a leaf has none
                found.setdefault(feature, []).append(threshold)
    return found
