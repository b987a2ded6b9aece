"""Reads what a pipeline ends in: XGBoost's estimators, and what is wrapped around them."""

import math
from dataclasses import dataclass, field
from typing import Any

from paygrade.saving.containers import is_passthrough
from paygrade.saving.errors import SaveRefused
from paygrade.saving.program import Program
from paygrade.saving.reading import Traced, class_name, require_fitted, trace

REGRESSORS = ("XGBRegressor", "XGBRFRegressor", "XGBRanker")
CLASSIFIERS = ("XGBClassifier", "XGBRFClassifier")


@dataclass(frozen=True)
class Predictor:
    """A fitted booster, and what surrounds it.

    `trees` are the rounds that predict uses, and `columns` the numbers of the columns that the booster is given.
    Numbers equal to `missing` are missing to it. `classes` are those of a classifier. `after` is done to the
    scores.
    """

    booster: Any
    trees: int
    columns: list[int]
    missing: float = math.nan
    classes: list[Any] = field(default_factory=list)
    after: list[dict[str, Any]] = field(default_factory=list)


def read_predictor(program: Program, model: Any, traced: Traced) -> Predictor:
    """Read a fitted model; raises SaveRefused for one that is not on the list."""
    name = class_name(model)
    if name == "Pipeline":
        require_fitted(model)
        *parts, (_, last) = model.steps
        for _, part in parts:
            if not is_passthrough(part):
                traced = trace(program, part, traced)
        return read_predictor(program, last, traced)
    if name in REGRESSORS + CLASSIFIERS:
        return _read_xgboost(model, traced)
    raise SaveRefused(
        f"{name} is no model that can be written; these are: Pipeline, {', '.join(REGRESSORS + CLASSIFIERS)}"
    )


def _read_xgboost(model: Any, traced: Traced) -> Predictor:
    require_fitted(model)
    booster = model.get_booster()
    return Predictor(
        booster=booster,
        trees=best_rounds(booster),
        columns=traced.columns,
        missing=math.nan if model.missing is None else float(model.missing),
        classes=list(model.classes_) if class_name(model) in CLASSIFIERS else [],
    )


def best_rounds(booster: Any) -> int:
    """Return the rounds that XGBoost's estimators use: those up to the best iteration, if there is one."""
    best = booster.attr("best_iteration")
    return booster.num_boosted_rounds() if best is None else int(best) + 1
