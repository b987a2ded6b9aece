"""What is to be predicted: the labels, and the objective that fits them."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.objective import BINARY, MULTI_CLASS, QUANTILE, SERVED
from model.training.column import Column
from model.training.table import TableError

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
MOST_CLASSES = 200
# From where on a label is allowed, and whether that bound itself is.
LOWEST = {
    "reg:gamma": (0, False),
    "reg:tweedie": (0, True),
    "count:poisson": (0, True),
    "reg:squaredlogerror": (-1, False),
    "reg:logistic": (0, True),
}


@dataclass(frozen=True)
class Aim:
    """What the caller asks for; `objective` is empty where it follows from the rest."""

    objective: str = ""
    classify: bool = False
    log: bool = False
    quantiles: tuple[float, ...] = ()


@dataclass(frozen=True)
class Target:
    """`labels` are those of the table; the trees learn `learned`, the labels after the transform."""

    name: str
    objective: str
    labels: NDArray[np.float64]
    classes: tuple[str, ...] = ()
    quantiles: tuple[float, ...] = ()
    transform: str = ""

    @property
    def learned(self) -> NDArray[np.float64]:
        if not self.transform:
            return self.labels
        learned: NDArray[np.float64] = {"log": np.log, "log1p": np.log1p}[self.transform](self.labels)
        return learned

    def parameters(self) -> dict[str, Any]:
        """What XGBoost is to be told of it."""
        if self.quantiles:
            return {"objective": self.objective, "quantile_alpha": list(self.quantiles)}
        if len(self.classes) > 2:
            return {"objective": self.objective, "num_class": len(self.classes)}
        return {"objective": self.objective}


def read_target(column: Column, aim: Aim) -> Target:
    """Raises TableError where column and aim do not fit; the column has no missing value."""
    if aim.objective not in ("", *TRAINED):
        raise TableError(f"{aim.objective} is not trained here; {_way_out(aim.objective, column.name)}")
    if aim.classify or aim.objective in (BINARY, *MULTI_CLASS):
        return _classes(column, aim)
    if column.type == "category":
        raise TableError(f"target {column.name!r} is not a number; --classify predicts its classes")
    labels = column.values
    if len(np.unique(labels)) < 2:
        raise TableError(f"target {column.name!r} is the same in every row")
    if aim.quantiles or aim.objective == QUANTILE:
        objective, quantiles = QUANTILE, tuple(sorted({*aim.quantiles, 0.5}))
    else:
        objective, quantiles = aim.objective or REGRESSIONS[0], ()
    _check_range(column.name, objective, labels)
    transform = _transform(column.name, labels) if aim.log else ""
    return Target(column.name, objective, labels, quantiles=quantiles, transform=transform)


def _way_out(objective: str, target: str) -> str:
    """Groups and censored times, for instance, are more than one column of a table can say."""
    if objective in SERVED:
        return f"train it with xgboost, save_model, then: python -m model import MODEL --target {target!r}"
    return f"these are: {', '.join(TRAINED)}"


def _classes(column: Column, aim: Aim) -> Target:
    if aim.log or aim.quantiles:
        raise TableError("classes have neither a logarithm nor quantiles; leave out --log and --quantiles")
    known, labels, counts = np.unique(column.values, return_inverse=True, return_counts=True)
    names = tuple(_class_name(column, value) for value in known.tolist())
    if len(names) < 2:
        raise TableError(f"target {column.name!r} is the same in every row")
    if len(names) > MOST_CLASSES:
        raise TableError(
            f"target {column.name!r} has {len(names)} classes; at most {MOST_CLASSES} are trained"
        )
    if counts.min() < 2:
        rare = names[int(counts.argmin())]
        raise TableError(f"class {rare!r} is in one row only: it could not be measured; leave the row out")
    objective = BINARY if len(names) == 2 else MULTI_CLASS[0]
    if aim.objective not in ("", objective, *MULTI_CLASS) or (len(names) > 2 and aim.objective == BINARY):
        raise TableError(f"{aim.objective} does not fit a target of {len(names)} classes")
    return Target(column.name, objective, labels.astype(np.float64), classes=names)


def _class_name(column: Column, value: float) -> str:
    if column.type == "category":
        return column.texts[int(value)]
    if column.type == "boolean":
        return "true" if value else "false"
    return str(int(value)) if value.is_integer() else repr(value)


def _check_range(name: str, objective: str, labels: NDArray[np.float64]) -> None:
    lowest, included = LOWEST.get(objective, (-np.inf, True))
    if labels.min() < lowest or (labels.min() == lowest and not included):
        bound = f"of at least {lowest}" if included else f"above {lowest}"
        raise TableError(f"{objective} needs a target {bound}; {name!r} goes down to {labels.min():g}")
    if objective == "reg:logistic" and labels.max() > 1:
        raise TableError(f"{objective} needs a target of at most 1; {name!r} goes up to {labels.max():g}")


def _transform(name: str, labels: NDArray[np.float64]) -> str:
    if labels.min() < 0:
        raise TableError(f"--log needs a target of at least 0; {name!r} goes down to {labels.min():g}")
    return "log" if labels.min() > 0 else "log1p"
