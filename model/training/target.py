"""The target of a training: its labels, and the objective that fits them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.objective import BINARY, MULTI_CLASS, QUANTILE, SERVED
from model.tables.table import TableError
from model.training.column import TableColumn

REGRESSIONS = (
    "reg:squarederror",
    "reg:squaredlogerror",
    "reg:pseudohubererror",
    "reg:absoluteerror",
    "reg:logistic",
    "reg:gamma",
    "reg:tweedie",
    "count:poisson",
)
TRAINED = (*REGRESSIONS, BINARY, MULTI_CLASS[0], QUANTILE)
MAX_CLASSES = 200
LOWEST_LABELS = {
    "reg:gamma": (0, False),
    "reg:tweedie": (0, True),
    "count:poisson": (0, True),
    "reg:squaredlogerror": (-1, False),
    "reg:logistic": (0, True),
}
"""The lower bound of the labels of an objective, and whether labels may equal it."""


@dataclass(frozen=True)
class TargetOptions:
    """What the caller wants to predict; an empty `objective` follows from the other options."""

    objective: str = ""
    classify: bool = False
    log: bool = False
    quantiles: tuple[float, ...] = ()


@dataclass(frozen=True)
class Target:
    """`labels` are those of the table: numbers, or the numbers of classes."""

    name: str
    objective: str
    labels: NDArray[np.float64]
    classes: tuple[str, ...] = ()
    quantiles: tuple[float, ...] = ()
    transform: str = ""

    @property
    def transformed(self) -> NDArray[np.float64]:
        """The labels after the transform: what the trees learn."""
        if not self.transform:
            return self.labels
        transformed: NDArray[np.float64] = {"log": np.log, "log1p": np.log1p}[self.transform](self.labels)
        return transformed

    def parameters(self) -> dict[str, Any]:
        """Return XGBoost's parameters for this target."""
        if self.quantiles:
            return {"objective": self.objective, "quantile_alpha": list(self.quantiles)}
        if len(self.classes) > 2:
            return {"objective": self.objective, "num_class": len(self.classes)}
        return {"objective": self.objective}


def read_target(column: TableColumn, options: TargetOptions) -> Target:
    """Choose the objective; raises TableError if column and options do not fit.

    The column must have no missing values.
    """
    if options.objective not in ("", *TRAINED):
        raise TableError(
            f"{options.objective} cannot be trained here; {_alternative(options.objective, column.name)}"
        )
    if column.count_distinct() < 2:
        raise TableError(f"target {column.name!r} has the same value in every row; predict another column")
    if options.classify or options.objective in (BINARY, *MULTI_CLASS):
        return _read_classes(column, options)
    if column.type == "category":
        raise TableError(f"target {column.name!r} is not a number; --classify predicts its classes")
    labels = column.values
    if options.quantiles or options.objective == QUANTILE:
        objective, quantiles = QUANTILE, tuple(sorted({*options.quantiles, 0.5}))
    else:
        objective, quantiles = options.objective or REGRESSIONS[0], ()
    _check_range(column.name, objective, labels)
    transform = _choose_transform(column.name, labels) if options.log else ""
    return Target(column.name, objective, labels, quantiles=quantiles, transform=transform)


def _alternative(objective: str, target: str) -> str:
    """Suggest what to do instead; ranking and survival need more than one column for the target."""
    if objective in SERVED:
        return (
            "train the model with xgboost, save it with save_model, and run: "
            f"python -m model import MODEL --target {target!r}"
        )
    return f"these objectives can: {', '.join(TRAINED)}"


def _read_classes(column: TableColumn, options: TargetOptions) -> Target:
    if options.log or options.quantiles:
        raise TableError("--log and --quantiles are for numbers, not for classes; leave them out")
    values, labels, counts = np.unique(column.values, return_inverse=True, return_counts=True)
    names = tuple(_class_name(column, value) for value in values.tolist())
    if len(names) > MAX_CLASSES:
        raise TableError(
            f"target {column.name!r} has {len(names)} classes; at most {MAX_CLASSES} are supported"
        )
    if counts.min() < 2:
        rare = names[int(counts.argmin())]
        raise TableError(f"class {rare!r} occurs in only one row, so it cannot be measured; remove the row")
    objective = BINARY if len(names) == 2 else MULTI_CLASS[0]
    allowed = ("", objective, *MULTI_CLASS)
    if options.objective not in allowed or (len(names) > 2 and options.objective == BINARY):
        raise TableError(f"{options.objective} does not fit a target with {len(names)} classes")
    return Target(column.name, objective, labels.astype(np.float64), classes=names)


def _class_name(column: TableColumn, value: float) -> str:
    if column.type == "category":
        return column.texts[int(value)]
    if column.type == "boolean":
        return "true" if value else "false"
    return str(int(value)) if value.is_integer() else repr(value)


def _check_range(name: str, objective: str, labels: NDArray[np.float64]) -> None:
    lowest, included = LOWEST_LABELS.get(objective, (-np.inf, True))
    if labels.min() < lowest or (labels.min() == lowest and not included):
        bound = f"of at least {lowest}" if included else f"above {lowest}"
        raise TableError(
            f"{objective} needs a target {bound}; the lowest value of {name!r} is {labels.min():g}"
        )
    if objective == "reg:logistic" and labels.max() > 1:
        raise TableError(
            f"{objective} needs a target of at most 1; the highest value of {name!r} is {labels.max():g}"
        )


def _choose_transform(name: str, labels: NDArray[np.float64]) -> str:
    if labels.min() < 0:
        raise TableError(
            f"--log needs a target of at least 0; the lowest value of {name!r} is {labels.min():g}"
        )
    return "log" if labels.min() > 0 else "log1p"
