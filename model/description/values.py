"""The grammar of values: what each type of feature accepts, the same in every format."""

import re
from collections.abc import Callable, Iterable, Mapping
from math import inf, isnan, nextafter

from model.description.dates import parse_date
from model.description.features import FLOAT32_LIMIT, TEXT, Feature

Value = float | int | bool | str | None
ReadValue = Callable[[object], Value]
"""Reads one value that a caller sent; raises InvalidValue."""

WHITESPACE = " \t\n\r"  # as JSON defines it
NUMBER = re.compile(r"[+-]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][+-]?[0-9]+)?")
"""JSON's grammar, and what other writers make of it: `.5`, `5.`, `+5` and `007`."""
NOT_A_NUMBER = frozenset({"NaN", "nan", "NAN"})
"""How tables write a missing number."""
BOOLEANS = {"true": True, "false": False, "1": True, "0": False, "1.0": True, "0.0": False}
"""Each boolean by its text, in lower case."""
TOO_LARGE = "must fit a 32-bit float"
LONGEST_LIST_OF_CATEGORIES = 200  # characters in a message
UNKNOWN = "unknown"

_PLAIN_DECIMAL = re.compile(r"(-?(?:0|[1-9][0-9]*))(?:\.([0-9]+))?")
EXACT_INTEGERS = 2**53
"""Below this, each integer is a double of its own."""
_LONGEST_INTEGER = 1024
"""Bits of a number that may be a category."""


class InvalidValue(Exception):
    """A value does not fit its feature; the message says what it must be, and never repeats the value."""


def value_reader(feature: Feature, missing_texts: Iterable[str] = ()) -> ReadValue:
    """Make the function that reads a value of this feature; `missing_texts` are those of the bundle."""
    readers: dict[str, ReadValue] = {
        "number": read_number,
        "integer": read_integer,
        "boolean": read_boolean,
        "date": read_date,
    }
    read = readers.get(feature.type) or _category_reader(feature)
    if feature.minimum is not None or feature.maximum is not None:
        read = _limited(read, feature.minimum, feature.maximum)
    return _nullable(read, texts_for_missing(feature, missing_texts)) if feature.nullable else read


def plain_numbers(feature: Feature) -> tuple[float, float]:
    """Return the lowest and the highest float that `value_reader` of this feature returns as it is.

    The first is above the second if there may be none.
    """
    if feature.type != "number":
        return inf, -inf
    lowest, highest = nextafter(-FLOAT32_LIMIT, inf), nextafter(FLOAT32_LIMIT, -inf)
    return (
        lowest if feature.minimum is None else max(lowest, feature.minimum),
        highest if feature.maximum is None else min(highest, feature.maximum),
    )


def texts_for_missing(feature: Feature, missing_texts: Iterable[str]) -> frozenset[str]:
    """Return the texts, without spaces around them, that stand for a missing value of this feature."""
    if not feature.nullable:
        return frozenset()
    return frozenset(missing_texts) | (frozenset() if feature.type == "category" else NOT_A_NUMBER)


def read_number(value: object, expected: str = "must be a number") -> float:
    """Read a number, or text of one."""
    if type(value) is float:
        number = value
    elif type(value) is int:
        try:
            number = float(value)
        except OverflowError:
            raise InvalidValue(TOO_LARGE) from None
    elif isinstance(value, str) and NUMBER.fullmatch(text := value.strip(WHITESPACE)):
        number = float(text)
    else:
        raise InvalidValue(expected)
    if -FLOAT32_LIMIT < number < FLOAT32_LIMIT:
        return number
    raise InvalidValue(f"{expected}, not NaN" if isnan(number) else TOO_LARGE)


def read_integer(value: object) -> float:
    """Read a number without a fraction; `2.0` and `"2e0"` are integers."""
    number = read_number(value, expected="must be an integer")
    if not number.is_integer():
        raise InvalidValue("must be an integer")
    return number


def read_boolean(value: object) -> bool:
    """Read true or false, 1 or 0, or text of one of them."""
    if type(value) is bool:
        return value
    boolean = None
    if isinstance(value, str):
        boolean = BOOLEANS.get(value.strip(WHITESPACE).lower())
    elif isinstance(value, int | float) and value in (0, 1):
        boolean = value == 1
    if boolean is None:
        raise InvalidValue("must be true or false")
    return boolean


def read_date(value: object) -> str:
    """Read text of a date, which may have a time if that is midnight; returns YYYY-MM-DD."""
    text = parse_date(value.strip(WHITESPACE)) if isinstance(value, str) else None
    if text is None:
        raise InvalidValue("must be a date, such as 2026-11-28")
    return text


def category_key(value: object) -> str | None:
    """Return the text that every way to write a category shares: `1`, `1.0` and `"1.0"` are `"1"`.

    Codes such as `007` and `1E5` stay as they are, since they are no numbers to those who wrote them. None
    if the value cannot be a category.
    """
    if isinstance(value, str):
        if (folded := value.lower()) in ("true", "false"):
            return folded
        decimal = _PLAIN_DECIMAL.fullmatch(value)
        return _joined(decimal[1], decimal[2] or "") if decimal else value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int):
        return str(value) if value.bit_length() <= _LONGEST_INTEGER else None
    if isinstance(value, float) and abs(value) < EXACT_INTEGERS:
        return str(int(value)) if value.is_integer() else repr(value)
    return None


def _joined(whole: str, fraction: str) -> str:
    fraction = fraction.rstrip("0")
    return f"{whole}.{fraction}" if fraction else whole.removeprefix("-") if whole == "-0" else whole


def category_lookup(feature: Feature) -> Mapping[str, str]:
    """Return the category for each of its texts: for itself, and for its key if no other shares that.

    Steps that were fitted on texts know no keys.
    """
    exact = {category: category for category in feature.categories}
    if feature.dtype == TEXT:
        return exact
    keys: dict[str, list[str]] = {}
    for category in feature.categories:
        keys.setdefault(str(category_key(category)), []).append(category)
    return {key: found[0] for key, found in keys.items() if len(found) == 1} | exact


def _category_reader(feature: Feature) -> ReadValue:
    """Accept a category, as text or as the number or boolean that it is; `unseen` decides on all others."""
    known, lookup = frozenset(feature.categories), category_lookup(feature)
    listed = ", ".join(feature.categories)
    short = len(listed) <= LONGEST_LIST_OF_CATEGORIES
    expected = f"one of: {listed}" if short else "one of the model's categories"

    def read_category(value: object) -> str | None:
        if isinstance(value, str) and value in known:
            return value
        text = value if isinstance(value, str) and feature.dtype == TEXT else category_key(value)
        if text is None:
            raise InvalidValue(f"must be text, {expected}")
        if (category := lookup.get(text)) is not None:
            return category
        if feature.unseen == "fault":
            raise InvalidValue(f"must be {expected}")
        return text if feature.unseen == UNKNOWN else None

    return read_category


def _limited(read: ReadValue, minimum: float | None, maximum: float | None) -> ReadValue:
    """Refuse numbers below `minimum` or above `maximum`."""
    low = -inf if minimum is None else minimum
    high = inf if maximum is None else maximum

    def read_limited(value: object) -> Value:
        number = read(value)
        if not isinstance(number, float | int):
            return number
        if number < low:
            raise InvalidValue(f"must be at least {minimum}")
        if number > high:
            raise InvalidValue(f"must be at most {maximum}")
        return number

    return read_limited


def _nullable(read: ReadValue, missing_texts: frozenset[str]) -> ReadValue:
    """Accept null, NaN and the texts that stand for them as a missing value."""

    def is_text_for_missing(value: object) -> bool:
        return isinstance(value, str) and value.strip(WHITESPACE) in missing_texts

    def read_nullable(value: object) -> Value:
        if value is None:
            return None
        try:
            return read(value)
        except InvalidValue:
            if value != value or is_text_for_missing(value):  # only NaN differs from itself
                return None
            raise

    def read_nullable_text(value: object) -> Value:
        return None if is_text_for_missing(value) else read_nullable(value)

    # Only such a text needs another look that would be a value as well.
    return read_nullable_text if any(_accepts(read, text) for text in missing_texts) else read_nullable


def _accepts(read: ReadValue, text: str) -> bool:
    try:
        read(text)
    except InvalidValue:
        return False
    return True
