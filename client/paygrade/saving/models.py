"""Reads what a pipeline ends in: XGBoost's estimators, and what is wrapped around them."""

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from paygrade.saving.calibrations import read_calibrated
from paygrade.saving.containers import is_passthrough
from paygrade.saving.dart import as_plain_trees
from paygrade.saving.errors import SaveRefused
from paygrade.saving.learner import count_targets, read_learner
from paygrade.saving.lookup_table import LookupTable
from paygrade.saving.program import Made, Program
from paygrade.saving.reading import Traced, class_name, dtypes_of, require_fitted, trace
from paygrade.saving.targets import read_inverse

REGRESSORS = ("XGBRegressor", "XGBRFRegressor", "XGBRanker")
CLASSIFIERS = ("XGBClassifier", "XGBRFClassifier")
SEARCHES = ("GridSearchCV", "RandomizedSearchCV", "HalvingGridSearchCV", "HalvingRandomSearchCV")


@dataclass(frozen=True)
class Predictor:
    """A fitted booster, and what surrounds it.

    `trees` are the rounds that predict uses, and `columns` the numbers of the columns that the booster is
    given. Numbers equal to `missing` are missing to it. `classes` are those of a classifier. `after` is
    done to the scores.
    """

    booster: Any
    trees: int
    columns: list[int]
    missing: float = math.nan
    classes: Sequence[Any] = ()
    after: list[dict[str, Any]] = field(default_factory=list)


def read_predictor(program: Program, model: Any, traced: Traced) -> Predictor:
    """Read a fitted model; raises SaveRefused for one that is not on the list."""
    name = class_name(model)
    read = MODELS.get(name)
    if read is None:
        raise SaveRefused(
            f"{name} is not among the models that can be written; the last part of a pipeline must be one "
            f"of {', '.join(sorted(MODELS))}"
        )
    if name != "Booster":
        require_fitted(model)
    return read(program, model, traced)


def _read_pipeline(program: Program, pipeline: Any, traced: Traced) -> Predictor:
    *parts, (_, last) = pipeline.steps
    for _, part in parts:
        if not is_passthrough(part):
            traced = trace(program, part, traced)
    return read_predictor(program, last, traced)


def _read_search(program: Program, search: Any, traced: Traced) -> Predictor:
    if not hasattr(search, "best_estimator_"):
        raise SaveRefused(f"{class_name(search)} has no best estimator; fit it with refit=True")
    return read_predictor(program, search.best_estimator_, traced)


def _read_frozen(program: Program, frozen: Any, traced: Traced) -> Predictor:
    return read_predictor(program, frozen.estimator, traced)


def _read_transformed_target(program: Program, model: Any, traced: Traced) -> Predictor:
    predictor = read_predictor(program, model.regressor_, traced)
    if count_targets(read_learner(predictor.booster)) > 1:
        raise SaveRefused(
            "a transform of several targets cannot be undone by the service; save one model for each target"
        )
    return replace(predictor, after=[*predictor.after, *read_inverse(model.transformer_)])


def _read_calibrated(program: Program, model: Any, traced: Traced) -> Predictor:
    inner, calibration = read_calibrated(model)
    predictor = read_predictor(program, inner, traced)
    return replace(predictor, classes=list(model.classes_), after=[*predictor.after, calibration])


def _read_xgboost(program: Program, model: Any, traced: Traced) -> Predictor:
    booster = model.get_booster()
    if read_learner(booster)["gradient_booster"]["name"] == "dart":
        booster = as_plain_trees(booster)
    missing = math.nan if model.missing is None else float(model.missing)
    if math.isinf(missing):
        raise SaveRefused(f"{class_name(model)} has missing={missing}; train it with NaN or a finite number")
    best = booster.attr("best_iteration")
    return Predictor(
        booster=booster,
        trees=booster.num_boosted_rounds() if best is None else int(best) + 1,
        columns=_give_categories(program, booster, traced),
        missing=missing,
        classes=list(model.classes_) if class_name(model) in CLASSIFIERS else [],
    )


def _read_booster(program: Program, booster: Any, traced: Traced) -> Predictor:
    """A Booster's own predict uses all rounds, whichever was the best."""
    columns = _give_categories(program, booster, traced)
    return Predictor(booster, booster.num_boosted_rounds(), columns)


def _give_categories(program: Program, booster: Any, traced: Traced) -> list[int]:
    """A column of pandas' type category goes to XGBoost as the positions of its categories."""
    types = booster.feature_types or [""] * len(traced.columns)
    columns = []
    for position, (column, kind) in enumerate(zip(traced.columns, types, strict=True)):
        if kind == "c" and str(dtypes_of(traced.values)[position]) == "category":
            categories = traced.values.iloc[:, position].cat.categories.tolist()
            table = LookupTable({category: code for code, category in enumerate(categories)}, None, math.nan)
            label = Made(program[column].label)
            columns += program.add_table("lookup", column, [label], table, dtype="float64")
        else:
            columns.append(column)
    return columns


MODELS: Mapping[str, Callable[[Program, Any, Traced], Predictor]] = {
    "Booster": _read_booster,
    "CalibratedClassifierCV": _read_calibrated,
    "FrozenEstimator": _read_frozen,
    "Pipeline": _read_pipeline,
    "TransformedTargetRegressor": _read_transformed_target,
    **dict.fromkeys(SEARCHES, _read_search),
    **dict.fromkeys(REGRESSORS + CLASSIFIERS, _read_xgboost),
}
