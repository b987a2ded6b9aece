"""Checks rows: which values a feature accepts, and which features a row must have."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any, NamedTuple

from model.description.dates import part_names
from model.description.errors import ModelError, SchemaError
from model.description.features import Feature
from model.description.json_schema import row_schema
from model.description.similar import folded
from model.description.values import InvalidValue, Value, plain_numbers, value_reader

MAX_FAULTS = 100


class Fault(NamedTuple):
    """One thing that is wrong with a request; `pointer` is the JSON pointer (RFC 6901) to it."""

    pointer: str
    detail: str
    kind: str = "value"
    """missing, unknown or value: what logs may say, since the other members may repeat what was sent."""


class InvalidRows(ModelError):
    """Rows do not fit the schema; `faults` lists what is wrong, the first MAX_FAULTS of it."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(f"{fault.pointer} {fault.detail}" for fault in faults))
        self.faults = faults


class Schema:
    """The features of a model, in the order of its training.

    `missing_texts` stand for a missing value in every nullable feature.
    `base_margin` is the position of the feature that is the base margin, or None.
    `tree_features` are the names of what the trees use: all features but the base margin, and of a date its
    parts.
    """

    def __init__(self, features: Iterable[Feature], missing_texts: Iterable[str] = ()) -> None:
        self.features = tuple(features)
        self.missing_texts = tuple(missing_texts)
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
        self.tree_features = [
            name
            for feature in self.features
            if not feature.base_margin
            for name in (part_names(feature.name) if feature.type == "date" else (feature.name,))
        ]
        if len(set(self.tree_features)) < len(self.tree_features):
            raise SchemaError("a feature has the name of a part of a date, such as sold.year")
        _check_missing_texts(self.features, self.missing_texts)
        self._known = frozenset(self.names)
        self._by_folded = {folded(name): name for name in self.names}
        self._readers = tuple(
            (feature.name, value_reader(feature, self.missing_texts), *plain_numbers(feature))
            for feature in self.features
        )
        self._absent = dict.fromkeys(feature.name for feature in self.features if feature.nullable)

    @classmethod
    def from_list(cls, definitions: object, missing_texts: Iterable[str] = ()) -> "Schema":
        """Read the features of `bundle.json`; raises SchemaError."""
        if not isinstance(definitions, list):
            raise SchemaError("features must be a list")
        return cls((Feature.from_dict(definition) for definition in definitions), missing_texts)

    def with_missing(self, texts: Iterable[str]) -> "Schema":
        """Return this schema with more texts for missing values; raises SchemaError."""
        more = tuple(text for text in texts if text not in self.missing_texts)
        return Schema(self.features, self.missing_texts + more) if more else self

    @property
    def required(self) -> tuple[str, ...]:
        """The features that every row must have: those that may not be missing."""
        return tuple(name for name in self.names if name not in self._absent)

    def to_list(self) -> list[dict[str, Any]]:
        """Write what `from_list` reads."""
        return [feature.to_dict() for feature in self.features]

    def to_json_schema(self) -> dict[str, Any]:
        """Describe a row as JSON Schema."""
        return row_schema(self.features, self.missing_texts)

    def check_row(self, row: object, pointer: str = "/inputs") -> list[Value]:
        """Return the values of a row in the order of the features; raises InvalidRows."""
        try:
            return self._read(row)
        except (KeyError, InvalidValue):
            raise _invalid_rows(self._faults(row, pointer), pointer) from None

    def check_rows(self, rows: Sequence[object], pointer: str = "/inputs") -> list[list[Value]]:
        """Return the values of each row; raises InvalidRows with the first faults of all rows."""
        read = self._read
        try:
            return [read(row) for row in rows]
        except (KeyError, InvalidValue):
            faults = (self._faults(row, f"{pointer}/{index}") for index, row in enumerate(rows))
            raise _invalid_rows(chain.from_iterable(faults), pointer) from None

    def _read(self, row: object) -> list[Value]:
        """Read a valid row as fast as possible; the first fault raises KeyError or InvalidValue."""
        readers = self._readers
        if not isinstance(row, dict):
            raise InvalidValue
        if len(row) != len(readers):
            row = self._absent | row
            if len(row) != len(readers):
                raise InvalidValue
        # A comprehension is a function call in Python 3.11, and costs as much as the rest of a row.
        values: list[Value] = []
        for name, read, lowest, highest in readers:
            value = row[name]
            # Most values need no more than this; a call for each takes several times as long.
            values.append(value if type(value) is float and lowest <= value <= highest else read(value))
        return values

    def _faults(self, row: object, pointer: str) -> Iterator[Fault]:
        if not isinstance(row, dict):
            yield Fault(pointer, "must be an object")
            return
        for name, read, *_ in self._readers:
            if name not in row:
                if name not in self._absent:
                    yield Fault(member_of(pointer, name), "is missing", "missing")
                continue
            try:
                read(row[name])
            except InvalidValue as error:
                detail = "must not be null" if row[name] is None else str(error)
                yield Fault(member_of(pointer, name), detail)
        for name in row:
            if name not in self._known:
                near = self._by_folded.get(folded(str(name)), name)
                hint = "" if near in row else f"; there is {near}"
                detail = f"is not a feature of this model{hint}"
                yield Fault(member_of(pointer, str(name)), detail, "unknown")


def member_of(pointer: str, name: str) -> str:
    """Return the JSON pointer to a member of the object at `pointer`."""
    return f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"


def _check_missing_texts(features: Iterable[Feature], missing_texts: Sequence[str]) -> None:
    for feature in features:
        both = sorted(set(missing_texts) & set(feature.categories)) if feature.nullable else []
        if both:
            raise SchemaError(
                f"feature {feature.name!r} lists the category {both[0]!r}, which stands for a missing value"
            )


def _invalid_rows(faults: Iterator[Fault], pointer: str) -> InvalidRows:
    reported = list(islice(faults, MAX_FAULTS))
    if next(faults, None):  # to count them all would cost as much as they are many
        reported[-1] = Fault(pointer, f"has more faults than the first {MAX_FAULTS - 1}")
    return InvalidRows(reported)
