"""Values of rows as JSON has them, whether they come from NumPy, pandas or polars."""

import math
from collections.abc import Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from paygrade.errors import InvalidInput

PLAIN = {type(None), bool, int, str}
MISSING_BY_NAME = ("NAType", "NaTType")
"""The types of pandas.NA and pandas.NaT, which this package does not import."""


def plain_row(row: Mapping[str, Any]) -> dict[str, Any]:
    """Raises InvalidInput for a value that JSON cannot hold."""
    return {str(name): plain(value, str(name)) for name, value in row.items()}


def plain(value: Any, name: str) -> Any:
    """The same value to the last bit; a float32 becomes the float64 that is equal to it."""
    kind = type(value)
    if kind is float:  # most values are, and these tests cost more than anything else
        return value if math.isfinite(value) else _not_finite(value)
    if kind in PLAIN:
        return value
    if isinstance(value, float):  # also a float64 of NumPy
        return plain(float(value), name)
    if isinstance(value, int | str):
        return value
    if type(value).__name__ in MISSING_BY_NAME:
        return None
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, Decimal):
        return None if value.is_nan() else str(value)
    if isinstance(value, list | tuple | Mapping):
        return value  # which is no value of a row, as the service will say
    if hasattr(value, "item") and getattr(value, "shape", None) == ():  # a scalar of NumPy
        return plain(_item(value), name)
    raise InvalidInput(f"{name} has a value of the type {type(value).__name__}, which cannot be sent")


def _not_finite(value: float) -> str | None:
    """JSON has no infinity. As text it is a fault of its own row, and not of all that is sent."""
    return None if math.isnan(value) else str(value)


def _item(value: Any) -> Any:
    """A time of NumPy counts nanoseconds, which Python's cannot hold."""
    if value.dtype.kind == "M":
        return None if str(value) == "NaT" else str(value)
    return value.item()
