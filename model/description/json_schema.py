"""A row described as JSON Schema (2020-12).

Whatever this schema accepts, `Schema.check_row` accepts too. The reverse has one exception: numbers sent as
text, which a pattern cannot compare with a limit. The patterns leave out text of more than 38 digits, text
with a large exponent (with any exponent if the feature has limits), and text close to a limit that has a
fraction.
"""

from collections.abc import Iterator, Sequence
from math import ceil, floor, inf
from typing import Any

from model.description.features import NUMERIC, Feature

BEYOND_FLOAT32 = 2**128 - 2**103 - 2**74
"""The smallest whole number that rounds to FLOAT32_LIMIT as a double. JSON Schema compares exact numbers."""
MAX_DIGITS = 38
"""Every whole number of at most this many digits fits float32."""

_SPACES = r"[ \t\n\r]*"
_FRACTION = r"(?:\.[0-9]+)?"
_NO_FRACTION = r"(?:\.0+)?"


def row_schema(features: Sequence[Feature]) -> dict[str, Any]:
    """Return the schema of a row: an object with a member for each feature."""
    return {
        "type": "object",
        "properties": {feature.name: feature_schema(feature) for feature in features},
        "required": [feature.name for feature in features],
        "additionalProperties": False,
    }


def feature_schema(feature: Feature) -> dict[str, Any]:
    """Return the schema of one value."""
    description = {"description": feature.description} if feature.description else {}
    if feature.type == "category" and feature.unseen != "fault":
        known = {"examples": list(feature.categories)}
        return {**description, "type": ["string", *(["null"] if feature.nullable else [])], **known}
    if feature.type == "category":
        return {**description, "enum": [*feature.categories, *([None] if feature.nullable else [])]}
    pattern = _number_pattern(feature) if feature.type in NUMERIC else "true|false"
    types = [feature.type, *(["string"] if pattern else []), *(["null"] if feature.nullable else [])]
    schema: dict[str, Any] = {**description, "type": types}
    if feature.type in NUMERIC:
        schema.update(_limits(feature))
    if pattern:
        schema["pattern"] = f"^{_SPACES}(?:{pattern}){_SPACES}$"
    return schema


def _limits(feature: Feature) -> dict[str, float]:
    low, high = feature.minimum, feature.maximum
    return {
        **({"exclusiveMinimum": -BEYOND_FLOAT32} if low is None else {"minimum": low}),
        **({"exclusiveMaximum": BEYOND_FLOAT32} if high is None else {"maximum": high}),
    }


def _number_pattern(feature: Feature) -> str:
    """Match text that is certainly a number within the limits; empty if no text certainly is."""
    whole = feature.type == "integer"
    fraction = _NO_FRACTION if whole else _FRACTION
    if feature.minimum is None and feature.maximum is None:
        tiny = "" if whole else "(?:[eE]-[0-9]+)?"
        half = MAX_DIGITS // 2
        return (
            f"-?(?:0|[1-9][0-9]{{0,{MAX_DIGITS - 1}}}){fraction}{tiny}"
            f"|-?(?:0|[1-9][0-9]{{0,{half - 1}}}){_NO_FRACTION if whole else fraction}[eE][+]?0*1?[0-9]"
        )
    low = -inf if feature.minimum is None else feature.minimum
    high = inf if feature.maximum is None else feature.maximum
    unsigned = [*_between(low, high, fraction)]
    signed = [f"-{text}" for text in _between(-high, -low, fraction)]
    return "|".join(unsigned + signed)


def _between(low: float, high: float, fraction: str) -> Iterator[str]:
    """Yield patterns for the unsigned numbers from `low` to `high`, both included."""
    if low <= 0 <= high:
        yield "0" + (fraction if high >= 1 else _NO_FRACTION)
    first = 1 if low <= 1 else ceil(low)
    digits = len(str(first))
    if high < 10**MAX_DIGITS:
        last = floor(high)
        if first <= last:
            yield f"{last}{_NO_FRACTION}"
    elif digits < MAX_DIGITS:
        last = 10**digits
        yield f"[1-9][0-9]{{{digits},{MAX_DIGITS - 1}}}{fraction}"
    else:
        return
    for text in _whole_numbers(first, last):
        yield text + fraction


def _whole_numbers(first: int, end: int) -> Iterator[str]:
    """Yield patterns for the whole numbers from `first` to `end - 1`, with as many free digits as fit."""
    while first < end:
        free = 0
        while first % 10 ** (free + 1) == 0 and first + 10 ** (free + 1) <= end:
            free += 1
        head, digit = divmod(first // 10**free, 10)
        last = min(9, digit + (end - first) // 10**free - 1)
        yield f"{head or ''}[{digit}-{last}]" + (f"[0-9]{{{free}}}" if free else "")
        first += (last - digit + 1) * 10**free
