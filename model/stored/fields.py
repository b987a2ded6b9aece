"""Reads single fields of a stored model; each function raises Malformed for a field of another kind."""

import json
import re
from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.stored.errors import Malformed

Integers = NDArray[np.int32]
MOST = 2**31 - 1
DIGITS = re.compile("[0-9]{1,10}")
SEQUENCE = (list, np.ndarray)


def member(members: Mapping[str, Any], name: str, kind: type[Any] | tuple[type[Any], ...]) -> Any:
    """Return a member of this type."""
    value = members.get(name)
    if not isinstance(value, kind):
        raise Malformed(f"it lacks {name}, or that is of another type")
    return value


def whole(members: Mapping[str, Any], name: str, low: int, high: int = MOST, default: str = "") -> int:
    """Return a number within these limits that is written as a text, as XGBoost writes its parameters."""
    text = members.get(name, default)
    number = int(text) if isinstance(text, str) and DIGITS.fullmatch(text) else -1
    if not low <= number <= high:
        raise Malformed(f"{name} is {str(text)[:20]!r}, and must be from {low} to {high}")
    return number


def numbers(members: Mapping[str, Any], name: str) -> list[float]:
    """Return a number, or those of a list, that are written as a text."""
    try:
        found = json.loads(members[name])
    except (KeyError, TypeError, ValueError, RecursionError):
        found = None
    listed = found if isinstance(found, list) else [found]
    if not all(type(number) in (int, float) for number in listed):
        raise Malformed(f"{name} is neither a number nor a list of numbers")
    return listed


def array(values: Sequence[Any] | NDArray[Any], name: str) -> NDArray[Any]:
    """Return values that are all of one type."""
    try:
        found = np.asarray(values)
    except ValueError:
        found = np.asarray(None)
    if found.ndim != 1 or found.dtype.kind not in "biuf":
        raise Malformed(f"{name} must be numbers")
    return found


def integers(values: Sequence[Any] | NDArray[Any], name: str, low: int, high: int) -> Integers:
    """Return integers within these limits."""
    found = array(values, name)
    if not found.size:
        return np.zeros(0, dtype=np.int32)
    if found.dtype.kind not in "iu" or found.min() < low or found.max() > high:
        raise Malformed(f"{name} must be whole numbers from {low} to {high}")
    return found.astype(np.int32)


def joined(members: Sequence[Mapping[str, Any]], name: str, low: int, high: int) -> Integers:
    """Return the integers of all members of this name, one after the other."""
    return integers(np.concatenate([array(each[name], name) for each in members]), name, low, high)
