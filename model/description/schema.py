"""The rows a model takes: its features in order, and the check every row passes on its way in."""

from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any, NamedTuple

from model.description.errors import ModelError, SchemaError
from model.description.feature import Feature
from model.description.grammar import Refused, Value
from model.description.json_schema import row_schema

__all__ = ["Fault", "InvalidRows", "Schema", "Value", "member_of"]

MAX_FAULTS = 100


class Fault(NamedTuple):
    """What is wrong, and where: `pointer` is a JSON pointer (RFC 6901)."""

    pointer: str
    detail: str


class InvalidRows(ModelError):
    """Rows break the schema; `faults` says all that is wrong with them."""

    def __init__(self, faults: list[Fault]) -> None:
        super().__init__("; ".join(f"{fault.pointer} {fault.detail}" for fault in faults))
        self.faults = faults


class Schema:
    """The features of a model, in the order in which it was trained on them."""

    def __init__(self, features: Iterable[Feature]) -> None:
        self.features = tuple(features)
        self.names = tuple(feature.name for feature in self.features)
        if not self.names:
            raise SchemaError("a schema must have a feature")
        for name in self.names:
            if self.names.count(name) > 1:
                raise SchemaError(f"feature {name!r} is defined twice")
        margins = [column for column, feature in enumerate(self.features) if feature.base_margin]
        if len(margins) > 1:
            raise SchemaError("only one feature can be the base margin")
        self.base_margin = margins[0] if margins else None
        self._known = frozenset(self.names)
        self._checks = tuple((feature.name, feature.compile()) for feature in self.features)

    @classmethod
    def from_list(cls, definitions: object) -> "Schema":
        """Read the features of `bundle.json`."""
        if not isinstance(definitions, list):
            raise SchemaError("features must be a list")
        return cls(Feature.from_dict(definition) for definition in definitions)

    @property
    def trees_names(self) -> list[str]:
        """The features that the trees look at: all but the base margin."""
        return [feature.name for feature in self.features if not feature.base_margin]

    def to_list(self) -> list[dict[str, Any]]:
        """Write what `from_list` reads."""
        return [feature.to_dict() for feature in self.features]

    def to_json_schema(self) -> dict[str, Any]:
        """Write what a row must be as JSON Schema has it."""
        return row_schema(self.features)

    def check_row(self, row: object, pointer: str = "/inputs") -> list[Value]:
        """Read one row into values in the order of the features, or raise `InvalidRows`."""
        try:
            return self._read(row)
        except (KeyError, Refused):
            raise _invalid(self._faults(row, pointer), pointer) from None

    def check_rows(self, rows: Sequence[object], pointer: str = "/inputs") -> list[list[Value]]:
        """Read a list of rows, or raise `InvalidRows` with the faults of all of them."""
        read = self._read
        try:
            return [read(row) for row in rows]
        except (KeyError, Refused):
            faults = (self._faults(row, f"{pointer}/{index}") for index, row in enumerate(rows))
            raise _invalid(chain.from_iterable(faults), pointer) from None

    def _read(self, row: object) -> list[Value]:
        """Read a row that has no fault, at full speed; the first fault ends it."""
        checks = self._checks
        if not isinstance(row, dict) or len(row) != len(checks):
            raise Refused
        # A comprehension is a call of its own in Python 3.11, and costs as much as the rest of a row.
        values = []
        for name, check in checks:
            values.append(check(row[name]))
        return values

    def _faults(self, row: object, pointer: str) -> Iterator[Fault]:
        if not isinstance(row, dict):
            yield Fault(pointer, "must be an object")
            return
        for name, check in self._checks:
            if name not in row:
                yield Fault(member_of(pointer, name), "is missing")
                continue
            try:
                check(row[name])
            except Refused as refused:
                detail = "must not be null" if row[name] is None else str(refused)
                yield Fault(member_of(pointer, name), detail)
        for name in row:
            if name not in self._known:
                yield Fault(member_of(pointer, str(name)), "is not a feature of this model")


def member_of(pointer: str, name: str) -> str:
    """The JSON pointer (RFC 6901) to a member of what another points to."""
    return f"{pointer}/{name.replace('~', '~0').replace('/', '~1')}"


def _invalid(faults: Iterator[Fault], pointer: str) -> InvalidRows:
    reported = list(islice(faults, MAX_FAULTS))
    more = sum(1 for _ in faults)
    if more:
        reported.append(Fault(pointer, f"has {more} more faults"))
    return InvalidRows(reported)
