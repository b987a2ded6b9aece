"""Checks the sample: a pandas frame of rows as the model will meet them."""

from collections.abc import Iterator
from typing import Any

from paygrade.saving.containers import is_passthrough
from paygrade.saving.errors import SaveRefused

FEWEST_ROWS = 2
INNER = ("best_estimator_", "regressor_", "estimator")
"""Where estimators keep the one that they wrap."""


def read_sample(model: Any, sample: Any) -> Any:
    """Return the columns of the sample that the model was fitted on; raises SaveRefused."""
    if type(sample).__module__.partition(".")[0] != "pandas" or not hasattr(sample, "columns"):
        raise SaveRefused(f"sample must be a pandas DataFrame, not {type(sample).__name__}")
    columns = list(sample.columns)
    for column in columns:
        if not isinstance(column, str) or not column:
            raise SaveRefused(f"the sample's columns must have texts as names, not {column!r}")
    if not sample.columns.is_unique:
        twice = sample.columns[sample.columns.duplicated()][0]
        raise SaveRefused(f"the sample has two columns named {twice!r}")
    if len(sample) < FEWEST_ROWS:
        raise SaveRefused(
            f"the sample has {len(sample)} rows, which prove nothing; give at least {FEWEST_ROWS}"
        )
    known = fitted_names(model)
    return sample[[name for name in known if name in columns]].reset_index(drop=True)


def fitted_names(model: Any) -> list[str]:
    """Return the names of the columns that the model was fitted on."""
    for part in _inside(model):
        names = getattr(part, "feature_names_in_", None)
        if names is None and type(part).__name__ == "Booster":
            names = part.feature_names
        if names is not None:
            return list(names)
    raise SaveRefused(
        f"{type(model).__name__} does not know the names of its columns: it is not fitted, or was fitted on "
        "an array; fit it on a pandas DataFrame"
    )


def _inside(model: Any) -> Iterator[Any]:
    while model is not None:
        yield model
        parts = [part for _, part in getattr(model, "steps", ()) if not is_passthrough(part)]
        inside = [*(getattr(model, name, None) for name in INNER), *parts[:1]]
        model = next((inner for inner in inside if hasattr(inner, "fit") or hasattr(inner, "save_raw")), None)
