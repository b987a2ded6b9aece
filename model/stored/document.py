"""Reads a stored model, from UBJSON or JSON, into plain values."""

import json
from collections.abc import Iterable
from typing import Any

from model.stored.errors import MAX_DEPTH, Malformed
from model.stored.ubjson import read_ubjson


def read_document(model: bytes) -> dict[str, Any]:
    """Return the members of a model; raises Malformed for what XGBoost might read in another way."""
    if not model.startswith(b"{"):
        raise Malformed("it does not begin with {")
    document = read_ubjson(model) if model.startswith(b"{L") else _read_json(model)
    if not isinstance(document, dict):
        raise Malformed("it is no object")
    return document


def version_of(document: dict[str, Any]) -> str:
    """Return the version of XGBoost that saved a model, such as "3.2.0"; empty if it does not tell."""
    parts = document.get("version")
    if not isinstance(parts, list) or len(parts) != 3:
        return ""
    return ".".join(map(str, parts)) if all(type(part) is int and part >= 0 for part in parts) else ""


def _read_json(model: bytes) -> Any:
    try:
        if rb"\u" in model:
            raise Malformed(r"it has characters that are written as \u…, which XGBoost does not read")
        document = json.loads(model.decode(), object_pairs_hook=_members)
    except RecursionError:
        raise Malformed(f"it is nested deeper than {MAX_DEPTH} levels") from None
    except ValueError as error:
        raise Malformed(f"it is not JSON: {error}") from None
    _check_depth([document])
    return document


def _members(pairs: Iterable[tuple[str, Any]]) -> dict[str, Any]:
    members: dict[str, Any] = {}
    for name, value in pairs:
        if name in members:
            raise Malformed(f"the member {name!r} is there twice")
        members[name] = value
    return members


def _check_depth(document: list[Any]) -> None:
    level = document
    for _ in range(MAX_DEPTH + 1):
        below = (value.values() if isinstance(value, dict) else value for value in level)
        level = [one for values in below for one in values if isinstance(one, dict | list)]
    if level:
        raise Malformed(f"it is nested deeper than {MAX_DEPTH} levels")
