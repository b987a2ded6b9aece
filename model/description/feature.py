"""One feature of a model: its name, its type, and what its owner allows."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from model.description import grammar
from model.description.errors import SchemaError
from model.description.grammar import Check

TYPES = ("number", "integer", "boolean", "category")
NUMERIC = ("number", "integer")
DEFAULTS: Mapping[str, Any] = {
    "nullable": False,
    "categories": (),
    "description": "",
    "minimum": None,
    "maximum": None,
    "observed": None,
    "base_margin": False,
}


@dataclass(frozen=True)
class Feature:
    """`minimum` and `maximum` are the owner's limits; `observed` is what training saw, and never refuses.

    A `base_margin` is no feature of the trees: it is what their sum starts from, an exposure for instance.
    """

    name: str
    type: str
    nullable: bool = False
    categories: tuple[str, ...] = ()
    description: str = ""
    minimum: float | None = None
    maximum: float | None = None
    observed: Mapping[str, float] | None = None
    base_margin: bool = False

    @classmethod
    def from_dict(cls, definition: object) -> "Feature":
        """Read one feature of `bundle.json`."""
        if not isinstance(definition, dict):
            raise SchemaError("a feature must be an object")
        name = definition.get("name")
        if not isinstance(name, str) or not name:
            raise SchemaError("a feature must have a name")
        unknown = sorted(definition.keys() - {"name", "type"} - DEFAULTS.keys())
        if unknown:
            raise SchemaError(f"feature {name!r} has an unknown field: {unknown[0]}")
        fields = {**DEFAULTS, **definition}
        _check_type(name, fields)
        _check_limits(name, fields)
        fields["categories"] = tuple(fields["categories"])
        return cls(**fields)

    def to_dict(self) -> dict[str, Any]:
        """Write what `from_dict` reads, leaving out what is not said."""
        said = {field: getattr(self, field) for field in DEFAULTS}
        written = {field: value for field, value in said.items() if value != DEFAULTS[field]}
        if self.categories:
            written["categories"] = list(self.categories)
        return {"name": self.name, "type": self.type, **written}

    def compile(self) -> Check:
        """Make the function that reads a value of this feature, or raises `Refused`."""
        check = _CHECKS[self.type] if self.type in _CHECKS else grammar.category(self.categories)
        if self.minimum is not None or self.maximum is not None:
            check = grammar.within(check, self.minimum, self.maximum)
        return grammar.nullable(check) if self.nullable else check


_CHECKS: Mapping[str, Check] = {
    "number": grammar.number,
    "integer": grammar.integer,
    "boolean": grammar.boolean,
}


def _check_type(name: str, fields: Mapping[str, Any]) -> None:
    kind, categories = fields.get("type"), fields["categories"]
    if kind not in TYPES:
        raise SchemaError(f"feature {name!r} must have a type of {', '.join(TYPES)}")
    if not isinstance(fields["nullable"], bool):
        raise SchemaError(f"feature {name!r}: nullable must be true or false")
    if not isinstance(fields["base_margin"], bool):
        raise SchemaError(f"feature {name!r}: base_margin must be true or false")
    if fields["base_margin"] and (kind != "number" or fields["nullable"]):
        raise SchemaError(f"feature {name!r}: a base margin must be a number that is never missing")
    if not isinstance(fields["description"], str):
        raise SchemaError(f"feature {name!r}: description must be text")
    if not isinstance(categories, list | tuple) or not all(isinstance(one, str) for one in categories):
        raise SchemaError(f"feature {name!r}: categories must be a list of texts")
    if kind == "category" and not categories:
        raise SchemaError(f"feature {name!r} is a category and must list its categories")
    if kind != "category" and categories:
        raise SchemaError(f"feature {name!r} is no category and must list none")
    if len(set(categories)) != len(categories):
        raise SchemaError(f"feature {name!r} lists a category twice")


def _check_limits(name: str, fields: Mapping[str, Any]) -> None:
    minimum, maximum, observed = fields["minimum"], fields["maximum"], fields["observed"]
    limited = minimum is not None or maximum is not None or observed is not None
    if limited and fields["type"] not in NUMERIC:
        raise SchemaError(
            f"feature {name!r}: only a number or an integer has a minimum, a maximum or observed"
        )
    if not all(limit is None or grammar.is_number(limit) for limit in (minimum, maximum)):
        raise SchemaError(f"feature {name!r}: minimum and maximum must be numbers")
    if minimum is not None and maximum is not None and minimum > maximum:
        raise SchemaError(f"feature {name!r}: minimum is above maximum")
    if observed is None:
        return
    if not isinstance(observed, dict) or observed.keys() != {"minimum", "maximum"}:
        raise SchemaError(f"feature {name!r}: observed must be an object of minimum and maximum")
    if not all(grammar.is_number(seen) for seen in observed.values()):
        raise SchemaError(f"feature {name!r}: observed must hold numbers")
