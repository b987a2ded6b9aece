"""The one grammar of a value: what a number, an integer, a boolean and a category may look like."""

import re
from collections.abc import Callable, Sequence
from math import inf, isnan

Value = float | int | bool | str | None
Check = Callable[[object], Value]

SPACES = " \t\n\r"  # what JSON calls whitespace
NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
BOOLEANS = {"true": True, "false": False}

# The smallest double that float32 rounds to infinity: halfway between its largest number and 2**128.
BEYOND_FLOAT32 = float(2**128 - 2**103)
TOO_LARGE = "must fit a 32-bit float"


class Refused(Exception):
    """A value breaks the grammar; the message never repeats the value."""


def number(value: object, otherwise: str = "must be a number") -> float:
    """Read a JSON number, or the same written as text."""
    if type(value) is float:
        read = value
    elif type(value) is int:
        try:
            read = float(value)
        except OverflowError:
            raise Refused(TOO_LARGE) from None
    elif isinstance(value, str) and NUMBER.fullmatch(text := value.strip(SPACES)):
        read = float(text)
    else:
        raise Refused(otherwise)
    if -BEYOND_FLOAT32 < read < BEYOND_FLOAT32:
        return read
    raise Refused(otherwise if isnan(read) else TOO_LARGE)


def integer(value: object) -> float:
    """Read a number without a fraction; `2.0` and `"2e0"` are two."""
    read = number(value, otherwise="must be an integer")
    if not read.is_integer():
        raise Refused("must be an integer")
    return read


def is_number(value: object) -> bool:
    """Whether this is a number that float32 can hold, and not text of one."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return -BEYOND_FLOAT32 < value < BEYOND_FLOAT32


def boolean(value: object) -> bool:
    """Read `true` or `false`, or the same written as text."""
    if type(value) is bool:
        return value
    if isinstance(value, str):
        read = BOOLEANS.get(value.strip(SPACES))
        if read is not None:
            return read
    raise Refused("must be true or false")


def category(categories: Sequence[str]) -> Check:
    """Make a check for text that is exactly one of these; the number 1 is not the text `"1"`."""
    known = frozenset(categories)
    listed = ", ".join(categories)
    wanted = f"one of: {listed}" if len(listed) <= 200 else "one of the model's categories"

    def check(value: object) -> str:
        if isinstance(value, str) and value in known:
            return value
        raise Refused(f"must be {wanted}" if isinstance(value, str) else f"must be text, {wanted}")

    return check


def within(check: Check, minimum: float | None, maximum: float | None) -> Check:
    """Hold a number to its owner's limits, both included."""
    low = -inf if minimum is None else minimum
    high = inf if maximum is None else maximum

    def limited(value: object) -> Value:
        read = check(value)
        if not isinstance(read, float | int):
            return read
        if read < low:
            raise Refused(f"must be at least {minimum}")
        if read > high:
            raise Refused(f"must be at most {maximum}")
        return read

    return limited


def nullable(check: Check) -> Check:
    """Let null through as a missing value."""

    def optional(value: object) -> Value:
        return None if value is None else check(value)

    return optional
