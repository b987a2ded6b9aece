"""Rows as callers should send them. More is accepted, such as numbers as texts: /v1/models has all of it."""

from collections.abc import Iterable
from typing import Any

from model.description.features import Feature
from web.openapi.markdown import with_plain_description

_TYPES: dict[str, dict[str, Any]] = {
    "number": {"type": "number", "format": "float"},
    "integer": {"type": "integer"},
    "boolean": {"type": "boolean"},
    "date": {"type": "string", "format": "date"},
}


def row_schema(features: Iterable[Feature]) -> dict[str, Any]:
    features = list(features)
    return {
        "type": "object",
        "properties": {feature.name: with_plain_description(_value(feature)) for feature in features},
        "required": [feature.name for feature in features if not feature.nullable],
        "additionalProperties": False,
    }


def _value(feature: Feature) -> dict[str, Any]:
    described = {"description": feature.description} if feature.description else {}
    if feature.type == "category":
        return {**described, **_category(feature)}
    limits = {"minimum": feature.minimum, "maximum": feature.maximum}
    schema = {**_TYPES[feature.type], **{name: value for name, value in limits.items() if value is not None}}
    return {**described, **schema, "type": _or_null(schema["type"], feature)}


def _category(feature: Feature) -> dict[str, Any]:
    if feature.unseen != "fault":
        return {"type": _or_null("string", feature), "examples": list(feature.categories)}
    return {"enum": [*feature.categories, *([None] if feature.nullable else [])]}


def _or_null(type_: str, feature: Feature) -> str | list[str]:
    return [type_, "null"] if feature.nullable else type_
