"""The fields of `bundle.json`: which there are, their types, and what each may hold."""

import json
import re
from collections.abc import Mapping
from typing import Any, NoReturn

from model.description.errors import BundleError
from model.description.features import is_number
from model.description.files import DESCRIPTION_FILE
from model.description.schema import Schema
from model.description.values import UNKNOWN

TRANSFORMS = ("log", "log1p", "sqrt", "logit")
NAME = re.compile(r"[a-z0-9][a-z0-9_-]{0,62}")

FIELDS: dict[str, type] = {
    "name": str,
    "version": int,
    "target": str,
    "unit": str,
    "objective": str,
    "features": list,
    "trees": int,
    "metrics": dict,
    "training": dict,
    "xgboost": str,
    "golden": dict,
    "sha256": str,
}
OPTIONAL: dict[str, type] = {
    "classes": list,
    "quantiles": list,
    "targets": list,
    "transform": str,
    "transform_type": str,
    "explained": bool,
    "unexplained": str,
    "missing": float,
    "steps": dict,
    "after": list,
    "scores": str,
    "proof": dict,
    "missing_texts": list,
}
SCORE_TYPES = ("float32", "float64")
PROOFS = ("scores", "target", "none")
"""What a bundle was compared with before it was made: scores of its author, its target, nothing."""
TYPE_NAMES: Mapping[type, str] = {
    str: "text",
    int: "a whole number",
    float: "a number",
    list: "a list",
    dict: "an object",
    bool: "true or false",
}


def load(text: bytes) -> dict[str, Any]:
    """Parse `bundle.json`; raises BundleError if it is no JSON object."""
    try:
        description = json.loads(text.decode(), parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{DESCRIPTION_FILE} is not JSON: {error}") from None
    if not isinstance(description, dict):
        raise BundleError(f"{DESCRIPTION_FILE} must hold an object")
    return description


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a JSON number")


def check_types(description: Mapping[str, Any]) -> None:
    """Raise BundleError for a field that is missing, unknown or of another type."""
    for name in FIELDS:
        if name not in description:
            raise BundleError(f"{DESCRIPTION_FILE} lacks the field {name}")
    for name, expected in (FIELDS | OPTIONAL).items():
        if name in description and not _is_a(description[name], expected):
            raise BundleError(f"{DESCRIPTION_FILE}: {name} must be {TYPE_NAMES[expected]}")
    unknown = sorted(description.keys() - FIELDS.keys() - OPTIONAL.keys())
    if unknown:
        raise BundleError(f"{DESCRIPTION_FILE} has an unknown field: {unknown[0]}")


def _is_a(value: object, expected: type) -> bool:
    if expected is float:
        return is_number(value)
    return isinstance(value, expected) and not (expected is int and isinstance(value, bool))


def _check_proof(proof: Mapping[str, Any]) -> None:
    if proof.get("kind") not in PROOFS:
        raise BundleError(f"{DESCRIPTION_FILE}: the kind of proof must be one of {', '.join(PROOFS)}")


def check_values(description: Mapping[str, Any]) -> None:
    """Raise BundleError for a field of the right type that has no meaning."""
    quantiles = description.get("quantiles", [])
    if not NAME.fullmatch(description["name"]):
        raise BundleError(
            f"{DESCRIPTION_FILE}: name must have 1 to 63 characters of a-z, 0-9, _ and -, "
            "and start with a letter or a digit"
        )
    for name in ("version", "trees"):
        if description[name] < 1:
            raise BundleError(f"{DESCRIPTION_FILE}: {name} must be 1 or more")
    for name in ("classes", "targets"):
        texts = description.get(name, [])
        if not all(isinstance(text, str) for text in texts) or len(set(texts)) != len(texts):
            raise BundleError(f"{DESCRIPTION_FILE}: {name} must be texts, each different from the others")
    if not all(isinstance(text, str) and text.strip() for text in description.get("missing_texts", [])):
        raise BundleError(f"{DESCRIPTION_FILE}: missing_texts must be texts, none of them empty")
    if not all(is_number(alpha) and 0 < alpha < 1 for alpha in quantiles):
        raise BundleError(f"{DESCRIPTION_FILE}: quantiles must be numbers between 0 and 1")
    _check_scores(description)


def _check_scores(description: Mapping[str, Any]) -> None:
    """Check what is done to the trees' scores."""
    if "proof" in description:
        _check_proof(description["proof"])
    if description.get("transform", "log") not in TRANSFORMS:
        raise BundleError(f"{DESCRIPTION_FILE}: transform must be one of {', '.join(TRANSFORMS)}")
    for name in ("scores", "transform_type"):
        if description.get(name, "float32") not in SCORE_TYPES:
            raise BundleError(f"{DESCRIPTION_FILE}: {name} must be one of {', '.join(SCORE_TYPES)}")
    if description.get("transform") and description.get("after"):
        raise BundleError(f"{DESCRIPTION_FILE}: transform and after exclude each other")
    if not all(isinstance(operation, dict) for operation in description.get("after", [])):
        raise BundleError(f"{DESCRIPTION_FILE}: after must be a list of objects")


def check_features(schema: Schema, description: Mapping[str, Any]) -> None:
    """Raise BundleError for features that do not fit a bundle with steps, or one without."""
    _check_steps(schema, description)
    _check_unseen(schema, description)


def _check_steps(schema: Schema, description: Mapping[str, Any]) -> None:
    """Refuse what the steps would have to know of, since they make all columns of the trees."""
    if "steps" not in description:
        return
    for feature in schema.features:
        for field_name in ("base_margin", "zero_is_missing"):
            if getattr(feature, field_name):
                raise BundleError(
                    f"{DESCRIPTION_FILE}: feature {feature.name!r} must not have {field_name} beside steps"
                )


def _check_unseen(schema: Schema, description: Mapping[str, Any]) -> None:
    """A booster has no branch for a category that it does not know; only a fitted step may have one."""
    for feature in schema.features:
        if feature.unseen == UNKNOWN and "steps" not in description:
            raise BundleError(
                f"{DESCRIPTION_FILE}: feature {feature.name!r}: unseen: unknown needs a bundle with steps"
            )
