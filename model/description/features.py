"""The features of a model as `bundle.json` defines them."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from model.description.errors import SchemaError

TYPES = ("number", "integer", "boolean", "category", "date")
TEXT = "str"
"""The `dtype` of a column whose texts the steps tell apart, however alike they are."""
NUMERIC = ("number", "integer")
UNSEEN = ("fault", "missing", "unknown")
DEFAULTS: Mapping[str, Any] = {
    "nullable": False,
    "categories": (),
    "description": "",
    "minimum": None,
    "maximum": None,
    "observed": None,
    "base_margin": False,
    "dtype": "",
    "unseen": "fault",
    "zero_is_missing": False,
}

FLOAT32_LIMIT = float(2**128 - 2**103)
"""The smallest double that rounds to infinity in float32: halfway between its largest number and 2**128."""


@dataclass(frozen=True)
class Feature:
    """One input of a model.

    `minimum` and `maximum` are limits set by the model's owner; values beyond them are invalid.
    `observed` holds the smallest and largest training value; values beyond them only cause a warning.
    A `base_margin` is not an input of the trees; it is the number that their sum starts from, such as an
    exposure. `dtype` is the type of the column that the steps were fitted on. `unseen` tells what a text is
    that is no category: a fault, a missing value, or a category that the steps do not know. Where
    `zero_is_missing`, the trees get 0 as a missing value.
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
    dtype: str = ""
    unseen: str = "fault"
    zero_is_missing: bool = False

    @classmethod
    def from_dict(cls, definition: object) -> "Feature":
        """Read one feature of `bundle.json`; raises SchemaError."""
        if not isinstance(definition, dict):
            raise SchemaError("a feature must be an object with a name and a type")
        name = definition.get("name")
        if not isinstance(name, str) or not name:
            raise SchemaError("a feature must have a name")
        unknown = sorted(definition.keys() - {"name", "type"} - DEFAULTS.keys())
        if unknown:
            raise SchemaError(f"feature {name!r} has an unknown field: {unknown[0]}")
        fields = {**DEFAULTS, **definition}
        _check_type(name, fields)
        _check_categories(name, fields)
        _check_limits(name, fields)
        _check_observed(name, fields)
        fields["categories"] = tuple(fields["categories"])
        return cls(**fields)

    def to_dict(self) -> dict[str, Any]:
        """Write what `from_dict` reads, without the fields that have their default value."""
        fields = {name: getattr(self, name) for name, default in DEFAULTS.items()}
        written = {name: value for name, value in fields.items() if value != DEFAULTS[name]}
        if self.categories:
            written["categories"] = list(self.categories)
        return {"name": self.name, "type": self.type, **written}


def is_number(value: object) -> bool:
    """Return whether this is a number (not text) that fits float32."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return False
    return -FLOAT32_LIMIT < value < FLOAT32_LIMIT


def _check_type(name: str, fields: Mapping[str, Any]) -> None:
    if fields.get("type") not in TYPES:
        raise SchemaError(f"feature {name!r} must have one of the types {', '.join(TYPES)}")
    for flag in ("nullable", "base_margin", "zero_is_missing"):
        if not isinstance(fields[flag], bool):
            raise SchemaError(f"feature {name!r}: {flag} must be true or false")
    if fields["base_margin"] and (fields["type"] != "number" or fields["nullable"]):
        raise SchemaError(f"feature {name!r}: a base margin must be of type number and not nullable")
    if fields["zero_is_missing"] and (fields["type"] not in NUMERIC or fields["base_margin"]):
        raise SchemaError(f"feature {name!r}: zero_is_missing is for numbers and integers only")
    for text in ("description", "dtype"):
        if not isinstance(fields[text], str):
            raise SchemaError(f"feature {name!r}: {text} must be text")


def _check_categories(name: str, fields: Mapping[str, Any]) -> None:
    categories = fields["categories"]
    if not isinstance(categories, list | tuple) or not all(isinstance(text, str) for text in categories):
        raise SchemaError(f"feature {name!r}: categories must be a list of texts")
    if fields["type"] == "category" and not categories:
        raise SchemaError(f"feature {name!r} is a category and must list its categories")
    if fields["type"] != "category" and categories:
        raise SchemaError(f"feature {name!r} is not a category and must not list categories")
    if fields["unseen"] not in UNSEEN:
        raise SchemaError(f"feature {name!r}: unseen must be one of {', '.join(UNSEEN)}")
    if fields["type"] != "category" and fields["unseen"] != DEFAULTS["unseen"]:
        raise SchemaError(f"feature {name!r} is not a category and must not have unseen")
    if len(set(categories)) != len(categories):
        raise SchemaError(f"feature {name!r} lists a category twice")


def _check_limits(name: str, fields: Mapping[str, Any]) -> None:
    minimum, maximum = fields["minimum"], fields["maximum"]
    limited = any(limit is not None for limit in (minimum, maximum, fields["observed"]))
    if limited and fields["type"] not in NUMERIC:
        raise SchemaError(
            f"feature {name!r}: only numbers and integers can have a minimum, a maximum or observed"
        )
    if not all(limit is None or is_number(limit) for limit in (minimum, maximum)):
        raise SchemaError(f"feature {name!r}: minimum and maximum must be numbers")
    if minimum is not None and maximum is not None and minimum > maximum:
        raise SchemaError(f"feature {name!r}: minimum {minimum} is greater than maximum {maximum}")


def _check_observed(name: str, fields: Mapping[str, Any]) -> None:
    observed = fields["observed"]
    if observed is None:
        return
    if not isinstance(observed, dict) or observed.keys() != {"minimum", "maximum"}:
        raise SchemaError(f"feature {name!r}: observed must be an object with minimum and maximum")
    if not all(map(is_number, observed.values())):
        raise SchemaError(f"feature {name!r}: the observed minimum and maximum must be numbers")
