"""A booster trained elsewhere, to what publishing takes: whatever the booster knows need not be said."""

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xgboost

from model.description.errors import BundleError
from model.description.feature import NUMERIC
from model.description.schema import InvalidRows, Schema
from model.objective import read_objective
from model.training.booster_file import read_foreign
from model.training.probes import probe_rows
from model.training.table import Table
from model.training.train import GOLDEN_ROWS, Trained

TYPES = {"float": "number", "q": "number", "int": "integer", "i": "boolean", "c": "category"}


@dataclass(frozen=True)
class Said:
    """What the caller says of a model; `features` are whole or partial features, or names alone."""

    name: str
    target: str
    unit: str = ""
    features: Sequence[Any] = ()
    classes: Sequence[str] = ()
    transform: str = ""
    base_margin: str = ""
    trees: int | None = None


def read_schema_file(file: Path) -> list[Any]:
    """JSON: a list of features as in bundle.json, or of names, or an object whose `features` they are."""
    try:
        read = json.loads(file.read_text(encoding="utf-8"))
    except OSError as error:
        raise BundleError(f"{file}: cannot be read: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise BundleError(f"{file}: is not JSON: {error}") from None
    features = read.get("features") if isinstance(read, dict) else read
    if not isinstance(features, list) or not all(
        isinstance(one, str) or (isinstance(one, dict) and isinstance(one.get("name"), str))
        for one in features
    ):
        raise BundleError(f"{file}: must hold a list of features, or of their names, in the model's order")
    return features


def import_model(file: Path, said: Said, sample: Table | None = None) -> Trained:
    """Raises BundleError or SchemaError, in one line, that names what only the caller can know."""
    booster, saved_by = read_foreign(file)
    objective = read_objective(booster, file.name)
    rounds = booster.num_boosted_rounds()
    if not rounds:
        raise BundleError(f"{file.name}: the model has no trees; train it first")
    if said.classes:
        _check_classes(said.classes, objective.classes, file.name)
    features = _features(booster, said, sample)
    if said.base_margin:
        features.append({"name": said.base_margin, "type": "number", "base_margin": True})
    schema = Schema.from_list(features)
    if sample:
        rows = _sample_rows(schema, sample)
        features = [{**one, **_observed(one, rows)} for one in features]
        golden = [rows[number] for number in np.linspace(0, len(rows) - 1, GOLDEN_ROWS).astype(int)]
        golden = list({json.dumps(row): row for row in golden}.values())
    else:
        golden = probe_rows(booster, schema)
    description = {
        "name": said.name,
        "target": said.target,
        "unit": said.unit,
        "features": features,
        **({"classes": list(said.classes)} if said.classes else {}),
        **({"transform": said.transform} if said.transform else {}),
        "trees": said.trees or _best(booster) or rounds,
        "metrics": {},
        "training": {
            "imported": file.name,
            "sha256": hashlib.sha256(file.read_bytes()).hexdigest(),
            "saved_by": saved_by,
            "rounds": rounds,
            **({"sample": sample.file, "sample_sha256": sample.sha256} if sample else {}),
        },
    }
    return Trained(booster, description, golden)


def _check_classes(names: Sequence[str], count: int, file: str) -> None:
    if len(names) != count:
        raise BundleError(f"{file}: the model has {count} classes; --classes names {len(names)}")
    if len(set(names)) < count:
        raise BundleError(f"{file}: --classes names one class twice")


def _best(booster: xgboost.Booster) -> int | None:
    """The rounds up to the best, which scikit-learn's interface uses, and the native one does not."""
    best = booster.attr("best_iteration")
    return None if best is None else int(best) + 1


def _features(booster: xgboost.Booster, said: Said, sample: Table | None) -> list[dict[str, Any]]:
    given = [{"name": one} if isinstance(one, str) else dict(one) for one in said.features]
    names = booster.feature_names or [one["name"] for one in given] or _columns(booster, said, sample)
    count = booster.num_features()
    if not names:
        raise BundleError(
            f"the model has {count} features and knows no names; "
            'give them in its order: --schema FILE, as in ["years", "rooms"]'
        )
    if len(names) != count:
        raise BundleError(f"the model has {count} features, and {len(names)} are named")
    types = booster.feature_types or ["float"] * count
    by_name = {one["name"]: one for one in given}
    if unknown := sorted(by_name.keys() - set(names)):
        raise BundleError(f"the model has no feature {unknown[0]!r}; it has {', '.join(map(repr, names))}")
    categories = _categories(booster)
    features = []
    for name, kind in zip(names, types, strict=True):
        feature = {"name": name, "type": TYPES.get(kind, "number"), "nullable": True}
        if name in categories:
            feature["categories"] = categories[name]
        feature |= by_name.get(name, {})
        if feature["type"] == "category" and "categories" not in feature:
            raise BundleError(
                f"the model does not know the categories of {name!r} by name; give them in its order: "
                f'--schema FILE, as in [{{"name": {json.dumps(name)}, "categories": ["a", "b"]}}]'
            )
        features.append(feature)
    return features


def _columns(booster: xgboost.Booster, said: Said, sample: Table | None) -> list[str]:
    """The columns of the sample, if they are as many as the features."""
    others = (said.target, said.base_margin)
    names = [name for name in sample.columns.column_names if name not in others] if sample else []
    return names if len(names) == booster.num_features() else []


def _categories(booster: xgboost.Booster) -> dict[str, list[str]]:
    """Those that XGBoost keeps since 3.1, if it was trained on a table that had them."""
    if "c" not in (booster.feature_types or ()):
        return {}
    known = booster.get_categories(export_to_arrow=True).to_arrow()
    return {name: [str(one) for one in values.to_pylist()] for name, values in known if values is not None}


def _sample_rows(schema: Schema, sample: Table) -> list[dict[str, Any]]:
    names = sample.columns.column_names
    for name in schema.names:
        if name not in names:
            raise BundleError(f"{sample.file} has no column {name!r}, which is a feature of the model")
    types = {feature.name: feature.type for feature in schema.features}
    rows = [
        {name: _as_sent(value, types[name]) for name, value in row.items()}
        for row in sample.columns.select(list(schema.names)).to_pylist()
    ]
    try:
        read = schema.check_rows(rows, pointer="")
    except InvalidRows as error:
        fault = error.faults[0]
        raise BundleError(
            f"{sample.file}: {len(error.faults)} faults, the first at {fault.pointer}: {fault.detail}"
        ) from None
    return [dict(zip(schema.names, row, strict=True)) for row in read]


def _as_sent(value: Any, kind: str) -> Any:
    """pandas writes True, which is no boolean anywhere else; and a number may name a category."""
    if kind == "boolean" and isinstance(value, str) and value in ("True", "False"):
        return value.lower()
    if kind == "category" and isinstance(value, int):
        return str(value)
    return value


def _observed(feature: Mapping[str, Any], rows: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    values = [row[feature["name"]] for row in rows if row[feature["name"]] is not None]
    if feature["type"] not in NUMERIC or not values:
        return {}
    return {"observed": {"minimum": min(values), "maximum": max(values)}}
