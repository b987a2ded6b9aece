"""A row described as JSON Schema (2020-12).

Whatever this schema accepts, `Schema.check_row` accepts too. The reverse has exceptions: what a pattern
cannot compare with a limit or a list. Left out are texts of numbers with more than 38 digits, with a large
exponent (with any exponent if the feature has limits), or close to a limit that has a fraction; and
categories that are written otherwise than in the list, as a text or as a number with a fraction.
"""

from collections.abc import Iterable, Iterator, Sequence
from math import ceil, floor, inf
from typing import Any

from model.description.features import NUMERIC, Feature
from model.description.values import EXACT_INTEGERS, category_lookup, texts_for_missing

BEYOND_FLOAT32 = 2**128 - 2**103 - 2**74
"""The smallest whole number that rounds to FLOAT32_LIMIT as a double. JSON Schema compares exact numbers."""
MAX_DIGITS = 38
"""Every whole number of at most this many digits fits float32."""

_DAYS_OF_MONTHS = (
    "(?:0[13578]|1[02])-(?:0[1-9]|[12][0-9]|3[01])|(?:0[469]|11)-(?:0[1-9]|[12][0-9]|30)|"
    "02-(?:0[1-9]|1[0-9]|2[0-8])"
)
_LEAP_YEARS = "(?:[0-9]{2}(?:0[48]|[2468][048]|[13579][26])|(?:[02468][048]|[13579][26])00)"
_MIDNIGHT = r"(?:[T ]00:00(?::00(?:\.0+)?)?)?"
_DATE = f"(?!0000)(?:[0-9]{{4}}-(?:{_DAYS_OF_MONTHS})|{_LEAP_YEARS}-02-29){_MIDNIGHT}"
_SPACES = r"[ \t\n\r]*"
_FRACTION = r"(?:\.[0-9]*)?"
_NO_FRACTION = r"(?:\.0*)?"
_ONLY_FRACTION = r"\.[0-9]+"
_BOOLEAN = r"[tT][rR][uU][eE]|[fF][aA][lL][sS][eE]|[01](?:\.0)?"
_SPECIAL = frozenset(r"\^$.*+?()[]{}|/")


def row_schema(features: Sequence[Feature], missing_texts: Iterable[str]) -> dict[str, Any]:
    """Return the schema of a row: an object with a member for each feature."""
    missing = tuple(missing_texts)
    return {
        "type": "object",
        "properties": {feature.name: feature_schema(feature, missing) for feature in features},
        "required": [feature.name for feature in features if not feature.nullable],
        "additionalProperties": False,
    }


def feature_schema(feature: Feature, missing_texts: Iterable[str] = ()) -> dict[str, Any]:
    """Return the schema of one value."""
    missing = sorted(texts_for_missing(feature, missing_texts))
    description = {"description": feature.description} if feature.description else {}
    if feature.type == "category":
        return {**description, **_category_schema(feature, missing)}
    types, limits, pattern = _plain_schema(feature)
    if missing:
        pattern = "|".join([*([pattern] if pattern else []), *map(_literal, missing)])
    types += [*(["string"] if pattern else []), *(["null"] if feature.nullable else [])]
    schema: dict[str, Any] = {**description, "type": types, **limits}
    if pattern:
        schema["pattern"] = f"^{_SPACES}(?:{pattern}){_SPACES}$"
    return schema


def _plain_schema(feature: Feature) -> tuple[list[str], dict[str, float], str]:
    """Return the types of a value that is no text, its limits, and the pattern of text."""
    if feature.type == "date":
        return [], {}, _DATE
    if feature.type in NUMERIC:
        return [feature.type], _limits(feature), _number_pattern(feature)
    return ["boolean", "integer"], {"minimum": 0, "maximum": 1}, _BOOLEAN


def _category_schema(feature: Feature, missing: Sequence[str]) -> dict[str, Any]:
    nulls = [None] if feature.nullable else []
    if feature.unseen != "fault":
        types = ["string", "integer", "boolean", *(["null"] if nulls else [])]
        limits = {"exclusiveMinimum": -EXACT_INTEGERS, "exclusiveMaximum": EXACT_INTEGERS}
        return {"type": types, **limits, "examples": list(feature.categories)}
    lookup = category_lookup(feature)
    others = [value for text in lookup if (value := _value_of_key(text)) is not None]
    return {"enum": [*feature.categories, *others, *missing, *nulls]}


def _value_of_key(key: str) -> int | bool | None:
    """Return the number or boolean whose key this is (see `category_key`), but no fraction."""
    if key in ("true", "false"):
        return key == "true"
    digits = key.removeprefix("-")
    if not (digits.isascii() and digits.isdecimal() and len(digits) <= len(str(EXACT_INTEGERS))):
        return None
    number = int(key)
    return number if str(number) == key and abs(number) < EXACT_INTEGERS else None


def _literal(text: str) -> str:
    """Return a pattern for a text; other escapes than these are refused by ECMAScript."""
    return "".join(f"\\{character}" if character in _SPECIAL else character for character in text.strip())


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
        points = "" if whole else f"|[+-]?{_ONLY_FRACTION}{tiny}"
        return (
            f"[+-]?0*[0-9]{{1,{MAX_DIGITS}}}{fraction}{tiny}{points}"
            f"|[+-]?0*[0-9]{{1,{half}}}{fraction}[eE][+]?0*1?[0-9]"
        )
    low = -inf if feature.minimum is None else feature.minimum
    high = inf if feature.maximum is None else feature.maximum
    unsigned = [*_between(low, high, fraction)]
    signed = [*_between(-high, -low, fraction)]
    patterns = [f"[+]?0*(?:{'|'.join(unsigned)})"] if unsigned else []
    return "|".join(patterns + ([f"-0*(?:{'|'.join(signed)})"] if signed else []))


def _between(low: float, high: float, fraction: str) -> Iterator[str]:
    """Yield patterns for the unsigned numbers from `low` to `high`, both included."""
    if low <= 0 <= high:
        yield "0" + (fraction if high >= 1 else _NO_FRACTION)
        if high >= 1 and fraction == _FRACTION:
            yield _ONLY_FRACTION
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
