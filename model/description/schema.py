"""Checks rows: which values a feature accepts, and which features a row must have."""

import re
from collections.abc import Callable, Iterable, Iterator, Sequence
from itertools import chain, islice
from math import inf, isnan
from typing import Any, NamedTuple

from model.description.errors import ModelError, SchemaError
from model.description.features import FLOAT32_LIMIT, Feature
from model.description.json_schema import row_schema

Value = float | int | bool | str | None
ReadValue = Callable[[object], Value]
"""Reads one value that a caller sent; raises InvalidValue."""

WHITESPACE = " \t\n\r"  # as JSON defines it
NUMBER = re.compile(r"-?(?:0|[1-9][0-9]*)(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
BOOLEANS = {"true": True, "false": False}
TOO_LARGE = "must fit a 32-bit float"
LONGEST_LIST_OF_CATEGORIES = 200  # characters in a message
MAX_FAULTS = 100


class InvalidValue(Exception):
    """A value does not fit its feature; the message says what it must be, and never repeats the value."""


class Fault(NamedTuple):
    """One thing that is wrong with a request; `pointer` is the JSON pointer (RFC 6901) to it."""

    pointer: str
    detail: str


class InvalidRows(ModelError):
    """Rows do not fit the schema; `faults` lists everything that is wrong, up to MAX_FAULTS."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(f"{fault.pointer} {fault.detail}" for fault in faults))
        self.faults = faults


class Schema:
    """The features of a model, in the order of its training.

    `base_margin` is the position of the feature that is the base margin, or None.
    `tree_features` are the names of the features that the trees use: all but the base margin.
    """

    def __init__(self, features: Iterable[Feature]) -> None:
        self.features = tuple(features)
        self.names = tuple(feature.name for feature in self.features)
        if not self.names:
            raise SchemaError("a schema must have at least one feature")
        for name in self.names:
            if self.names.count(name) > 1:
                raise SchemaError(f"feature {name!r} is defined twice")
        margins = [position for position, feature in enumerate(self.features) if feature.base_margin]
        if len(margins) > 1:
            raise SchemaError("only one feature can be the base margin")
        self.base_margin = margins[0] if margins else None
        self.tree_features = [feature.name for feature in self.features if not feature.base_margin]
        self._known = frozenset(self.names)
        self._readers = tuple((feature.name, value_reader(feature)) for feature in self.features)

    @classmethod
    def from_list(cls, definitions: object) -> "Schema":
        """Read the features of `bundle.json`; raises SchemaError."""
        if not isinstance(definitions, list):
            raise SchemaError("features must be a list")
        return cls(Feature.from_dict(definition) for definition in definitions)

    def to_list(self) -> list[dict[str, Any]]:
        """Write what `from_list` reads."""
        return [feature.to_dict() for feature in self.features]

    def to_json_schema(self) -> dict[str, Any]:
        """Describe a row as JSON Schema."""
        return row_schema(self.features)

    def check_row(self, row: object, pointer: str = "/inputs") -> list[Value]:
        """Return the values of a row in the order of the features; raises InvalidRows."""
        try:
            return self._read(row)
        except (KeyError, InvalidValue):
            raise _invalid_rows(self._faults(row, pointer), pointer) from None

    def check_rows(self, rows: Sequence[object], pointer: str = "/inputs") -> list[list[Value]]:
        """Return the values of each row; raises InvalidRows with the faults of all rows."""
        read = self._read
        try:
            return [read(row) for row in rows]
        except (KeyError, InvalidValue):
            faults = (self._faults(row, f"{pointer}/{index}") for index, row in enumerate(rows))
            raise _invalid_rows(chain.from_iterable(faults), pointer) from None

    def _read(self, row: object) -> list[Value]:
        """Read a valid row as fast as possible; the first fault raises KeyError or InvalidValue."""
        readers = self._readers
        if not isinstance(row, dict) or len(row) != len(readers):
            raise InvalidValue
        # A comprehension is a function call in Python 3.11, and costs as much as the rest of a row.
        values = []
        for name, read in readers:
            values.append(read(row[name]))
        return values

    def _faults(self, row: object, pointer: str) -> Iterator[Fault]:
        if not isinstance(row, dict):
            yield Fault(pointer, "must be an object")
            return
        for name, read in self._readers:
            if name not in row:
                yield Fault(member_of(pointer, name), "is missing")
                continue
            try:
                read(row[name])
            except InvalidValue as error:
                detail = "must not be null" if row[name] is None else str(error)
                yield Fault(member_of(pointer, name), detail)
        for name in row:
            if name not in self._known:
                yield Fault(member_of(pointer, str(name)), "is not a feature of this model")


def member_of(pointer: str, name: str) -> str:
    """Return the JSON pointer to a member of the object at `pointer`."""
    return f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"


def _invalid_rows(faults: Iterator[Fault], pointer: str) -> InvalidRows:
    reported = list(islice(faults, MAX_FAULTS))
    more = sum(1 for _ in faults)
    if more:
        reported.append(Fault(pointer, f"has {more} more faults"))
    return InvalidRows(reported)


def value_reader(feature: Feature) -> ReadValue:
    """Make the function that reads a value of this feature."""
    readers: dict[str, ReadValue] = {
        "number": read_number,
        "integer": read_integer,
        "boolean": read_boolean,
    }
    read = readers.get(feature.type) or _category_reader(feature)
    if feature.minimum is not None or feature.maximum is not None:
        read = _limited(read, feature.minimum, feature.maximum)
    return _nullable(read) if feature.nullable else read


def read_number(value: object, expected: str = "must be a number") -> float:
    """Read a JSON number, or text of one."""
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
    raise InvalidValue(expected if isnan(number) else TOO_LARGE)


def read_integer(value: object) -> float:
    """Read a number without a fraction; `2.0` and `"2e0"` are integers."""
    number = read_number(value, expected="must be an integer")
    if not number.is_integer():
        raise InvalidValue("must be an integer")
    return number


def read_boolean(value: object) -> bool:
    """Read `true` or `false`, or text of one."""
    if type(value) is bool:
        return value
    if isinstance(value, str):
        boolean = BOOLEANS.get(value.strip(WHITESPACE))
        if boolean is not None:
            return boolean
    raise InvalidValue("must be true or false")


def _category_reader(feature: Feature) -> ReadValue:
    """Accept text that equals one of the categories exactly; the number 1 is not the text `"1"`.

    Other texts are what `feature.unseen` says: a fault, missing, or themselves.
    """
    known = frozenset(feature.categories)
    listed = ", ".join(feature.categories)
    short = len(listed) <= LONGEST_LIST_OF_CATEGORIES
    expected = f"one of: {listed}" if short else "one of the model's categories"

    def read_category(value: object) -> str | None:
        if isinstance(value, str):
            if value in known or feature.unseen == "unknown":
                return value
            if feature.unseen == "missing":
                return None
        raise InvalidValue(f"must be {expected}" if isinstance(value, str) else f"must be text, {expected}")

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


def _nullable(read: ReadValue) -> ReadValue:
    """Accept null as a missing value."""

    def read_nullable(value: object) -> Value:
        return None if value is None else read(value)

    return read_nullable
