"""The features of a booster: their names, types and categories, from the booster or from its importer."""

import json
from collections.abc import Sequence
from typing import Any

import xgboost

from model.description.errors import BundleError
from model.description.features import NUMERIC
from model.importing.options import ImportOptions

FEATURE_TYPES = {"float": "number", "q": "number", "int": "number", "i": "boolean", "c": "category"}
"""The types of XGBoost's features, as `bundle.json` names them."""


def define_features(
    booster: xgboost.Booster, options: ImportOptions, columns: Sequence[str] = ()
) -> list[dict[str, Any]]:
    """Complete what the booster knows of its features; `columns` are those of the sample, in its order.

    Raises BundleError, which tells the option that gives what is not known.
    """
    given = [{"name": entry} if isinstance(entry, str) else dict(entry) for entry in options.features]
    names = _feature_names(booster, given, options, columns)
    by_name = {feature["name"]: feature for feature in given}
    if unknown := sorted(by_name.keys() - set(names)):
        raise BundleError(f"the model has no feature {unknown[0]!r}; it has {', '.join(map(repr, names))}")
    types = booster.feature_types or ["float"] * len(names)
    categories = _categories(booster, names)
    features = []
    for name, kind in zip(names, types, strict=True):
        feature = {"name": name, "type": FEATURE_TYPES.get(kind, "number"), "nullable": True}
        if name in categories:
            feature["categories"] = categories[name]
        feature |= by_name.get(name, {})
        if feature["type"] == "category" and "categories" not in feature:
            raise BundleError(
                f"the model does not know the names of the categories of {name!r}; give them in the model's "
                f'order: --schema FILE, such as [{{"name": {json.dumps(name)}, "categories": ["a", "b"]}}]'
            )
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


def _categories(booster: xgboost.Booster, names: Sequence[str]) -> dict[str, list[str]]:
    """Return the categories that XGBoost 3.1 and newer save for models trained on a data frame."""
    if "c" not in (booster.feature_types or ()):
        return {}
    saved = booster.get_categories(export_to_arrow=True).to_arrow()
    known = {name: [str(text) for text in texts.to_pylist()] for name, texts in saved if texts is not None}
    own = dict(zip(booster.feature_names or names, names, strict=True))
    return {own[name]: texts for name, texts in known.items()}
