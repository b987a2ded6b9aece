"""The features of a booster: their names, types and categories, from the booster or from its importer."""

import json
from collections.abc import Sequence
from typing import Any

import xgboost

from model.description.errors import BundleError
from model.description.features import NUMERIC
from model.importing.categories import SavedCategories, saved_categories
from model.importing.options import ImportOptions

FEATURE_TYPES = {"float": "number", "q": "number", "int": "number", "i": "boolean", "c": "category"}
"""The types of XGBoost's features, as `bundle.json` names them."""


def define_features(
    booster: xgboost.Booster, saved_by: str, options: ImportOptions, columns: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Complete what the booster knows of its features; `columns` are those of the sample, in its order.

    `saved_by` is the version of XGBoost that saved it.

    Raises BundleError, which tells the option that gives what is not known.
    """
    given = [{"name": entry} if isinstance(entry, str) else dict(entry) for entry in options.features]
    names = _feature_names(booster, given, options, columns)
    by_name = {feature["name"]: feature for feature in given}
    if unknown := sorted(by_name.keys() - set(names)):
        raise BundleError(f"the model has no feature {unknown[0]!r}; it has {', '.join(map(repr, names))}")
    types = booster.feature_types or ["float"] * len(names)
    saved = saved_categories(booster, saved_by) or [None] * len(names)
    features = []
    for name, kind, categories in zip(names, types, saved, strict=True):
        feature = {"name": name, "type": FEATURE_TYPES.get(kind, "number"), "nullable": True}
        if categories and categories.names:
            feature["categories"] = list(categories.names)
        feature |= by_name.get(name, {})
        if feature["type"] == "date":  # of which training makes several features
            types_of_boosters = ", ".join(dict.fromkeys(FEATURE_TYPES.values()))
            raise BundleError(f"the feature {name!r} must have one of the types {types_of_boosters}")
        if feature["type"] == "category":
            _check_categories(name, feature.get("categories"), categories)
        features.append(feature)
    if options.base_margin:
        features.append({"name": options.base_margin, "type": "number", "base_margin": True})
    return zeros_missing(features) if options.zero_is_missing else features


def zeros_missing(features: Sequence[dict[str, Any]]) -> list[dict[str, Any]]:
    """Let the trees get every zero as missing, as from a sparse matrix; there a boolean is a number too."""
    return [_zero_missing(feature) for feature in features]


def _zero_missing(feature: dict[str, Any]) -> dict[str, Any]:
    if feature.get("base_margin"):
        return feature
    if feature["type"] == "boolean":
        return {**feature, "type": "number", "zero_is_missing": True}
    return {**feature, "zero_is_missing": True} if feature["type"] in NUMERIC else feature


def _feature_names(
    booster: xgboost.Booster,
    given: list[dict[str, Any]],
    options: ImportOptions,
    columns: Sequence[str],
) -> list[str]:
    """Return the names that the booster knows, the given ones, or the columns of the sample."""
    count = booster.num_features()
    known = None if options.by_position else booster.feature_names
    names = known or ([] if options.by_position else [feature["name"] for feature in given])
    if not names and columns:
        if len(columns) != count and options.by_position:
            raise BundleError(
                f"--by-position: the model has {count} features, but the sample has {len(columns)} columns "
                "besides target, scores and base margin"
            )
        names = columns if len(columns) == count else []
    if not names:
        raise BundleError(
            f"the model has {count} features and does not know their names; "
            'give them in the model\'s order: --schema FILE, such as ["years", "rooms"]'
        )
    if len(names) != count:
        raise BundleError(f"the model has {count} features, but {len(names)} are named")
    return list(names)


def _check_categories(name: str, given: Any, saved: SavedCategories | None) -> None:
    """Raise BundleError if the names of the categories are not known, or cannot be those of the model."""
    if given is None:
        known = "XGBoost cut" if saved else "the model does not know"
        names = saved.shown() if saved else ["a", "b"]
        example = json.dumps({"name": name, "categories": names}, ensure_ascii=False)
        raise BundleError(
            f"{known} the names of the categories of {name!r}; give them in the model's order: "
            f"--schema FILE, such as [{example}]"
        )
    if saved and isinstance(given, list) and not saved.fits(given):
        raise BundleError(
            f"the categories of {name!r} do not fit those of the model, which are, in its order: "
            f"{', '.join(saved.shown())}"
        )
