"""Makes the content of a bundle from a booster trained elsewhere."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xgboost

from model.booster import read_objective
from model.description.errors import BundleError
from model.description.features import NUMERIC
from model.description.schema import InvalidRows, Schema
from model.description.similar import similar_name
from model.tables.columns import values_as_sent
from model.training.booster_file import read_model_file
from model.training.probes import probe_rows
from model.training.table import Table, read_json
from model.training.trained import GOLDEN_ROWS, TrainedModel

FEATURE_TYPES = {"float": "number", "q": "number", "int": "number", "i": "boolean", "c": "category"}
"""The types of XGBoost's features, as `bundle.json` names them."""


@dataclass(frozen=True)
class ImportOptions:
    """What the booster itself does not know; `features` are complete or partial definitions, or names."""

    name: str
    target: str
    unit: str = ""
    features: Sequence[Any] = ()
    classes: Sequence[str] = ()
    transform: str = ""
    base_margin: str = ""
    trees: int | None = None


def read_schema_file(file: Path) -> list[Any]:
    """Read a JSON list of features or of names, or an object with such a list as `features`.

    Raises TableError if the file is not JSON, and BundleError if it holds something else.
    """
    content = read_json(file)
    features = content.get("features") if isinstance(content, dict) else content
    if not isinstance(features, list) or not all(map(_is_feature, features)):
        raise BundleError(f"{file}: must hold a list of features, or of their names, in the model's order")
    return features


def _is_feature(entry: object) -> bool:
    return isinstance(entry, str) or (isinstance(entry, dict) and isinstance(entry.get("name"), str))


def import_model(file: Path, options: ImportOptions, sample: Table | None = None) -> TrainedModel:
    """Read a booster and complete its description; raises BundleError, SchemaError or InvalidRows.

    The message tells which option must supply what the booster does not know.
    """
    booster, saved_by = read_model_file(file)
    objective = read_objective(booster, file.name)
    rounds = booster.num_boosted_rounds()
    if not rounds:
        raise BundleError(f"{file.name}: the model has no trees; train it first")
    if options.classes:
        _check_classes(options.classes, objective.classes, file.name)
    features = _define_features(booster, options, sample)
    schema = Schema.from_list(features, sample.missing_texts if sample else ())
    if sample:
        rows = _read_sample(schema, sample)
        features = [{**feature, **_observed(feature, rows)} for feature in features]
        golden = _select_rows(rows)
    else:
        golden = probe_rows(booster, schema)
    description = {
        "name": options.name,
        "target": options.target,
        "unit": options.unit,
        "features": features,
        **({"classes": list(options.classes)} if options.classes else {}),
        **({"transform": options.transform} if options.transform else {}),
        **({"missing_texts": list(schema.missing_texts)} if schema.missing_texts else {}),
        "trees": options.trees or _best_rounds(booster) or rounds,
        "metrics": {},
        "training": {
            "imported": file.name,
            "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
            "saved_by": saved_by,
            "rounds": rounds,
            **({"sample": sample.file, "sample_sha256": sample.sha256} if sample else {}),
        },
    }
    return TrainedModel(booster, description, golden)


def _check_classes(names: Sequence[str], count: int, file: str) -> None:
    if len(names) != count:
        raise BundleError(f"{file}: the model has {count} classes, but --classes names {len(names)}")
    if len(set(names)) < count:
        raise BundleError(f"{file}: --classes names a class twice")


def _best_rounds(booster: xgboost.Booster) -> int | None:
    """Return the rounds up to the best iteration, which scikit-learn's interface uses."""
    best = booster.attr("best_iteration")
    return None if best is None else int(best) + 1


def _define_features(
    booster: xgboost.Booster, options: ImportOptions, sample: Table | None
) -> list[dict[str, Any]]:
    given = [{"name": entry} if isinstance(entry, str) else dict(entry) for entry in options.features]
    names = _feature_names(booster, given, options, sample)
    by_name = {feature["name"]: feature for feature in given}
    if unknown := sorted(by_name.keys() - set(names)):
        raise BundleError(f"the model has no feature {unknown[0]!r}; it has {', '.join(map(repr, names))}")
    types = booster.feature_types or ["float"] * len(names)
    categories = _categories(booster)
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
    return features


def _feature_names(
    booster: xgboost.Booster, given: list[dict[str, Any]], options: ImportOptions, sample: Table | None
) -> list[str]:
    """Return the names that the booster knows, the given ones, or the columns of the sample."""
    count = booster.num_features()
    names = booster.feature_names or [feature["name"] for feature in given]
    if not names and sample:
        others = (options.target, options.base_margin)
        columns = [name for name in sample.columns.column_names if name not in others]
        names = columns if len(columns) == count else []
    if not names:
        raise BundleError(
            f"the model has {count} features and does not know their names; "
            'give them in the model\'s order: --schema FILE, such as ["years", "rooms"]'
        )
    if len(names) != count:
        raise BundleError(f"the model has {count} features, but {len(names)} are named")
    return list(names)


def _categories(booster: xgboost.Booster) -> dict[str, list[str]]:
    """Return the categories that XGBoost 3.1 and newer save for models trained on a data frame."""
    if "c" not in (booster.feature_types or ()):
        return {}
    saved = booster.get_categories(export_to_arrow=True).to_arrow()
    return {name: [str(text) for text in texts.to_pylist()] for name, texts in saved if texts is not None}


def _read_sample(schema: Schema, sample: Table) -> list[dict[str, Any]]:
    """Read the rows of a sample as they are read when they are scored; raises BundleError."""
    names = sample.columns.column_names
    for name in schema.required:
        if name not in names:
            near = similar_name(name, names)
            raise BundleError(
                f"{sample.file} has no column {name!r}, which is a feature of the model"
                + (f"; it has {near!r}" if near else "")
            )
    columns = {name: values_as_sent(sample.columns[name]) for name in schema.names if name in names}
    rows = [dict(zip(columns, row, strict=True)) for row in zip(*columns.values(), strict=True)]
    try:
        checked = schema.check_rows(rows, pointer="")
    except InvalidRows as error:
        fault = error.faults[0]
        raise BundleError(
            f"{sample.file}: {fault.pointer} {fault.detail} (faults in total: {len(error.faults)})"
        ) from None
    return [dict(zip(schema.names, row, strict=True)) for row in checked]


def _select_rows(rows: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return golden rows, evenly spaced and each different."""
    selected = [rows[number] for number in np.linspace(0, len(rows) - 1, GOLDEN_ROWS).astype(int)]
    return list({json.dumps(row): row for row in selected}.values())


def _observed(feature: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return the range of a numeric feature in these rows, as a field of its definition."""
    values = [row[feature["name"]] for row in rows if row[feature["name"]] is not None]
    if feature["type"] not in NUMERIC or not values:
        return {}
    return {"observed": {"minimum": min(values), "maximum": max(values)}}
