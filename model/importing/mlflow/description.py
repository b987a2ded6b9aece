"""`MLmodel`, MLflow's description of a model: which file is the booster, its columns, and example rows."""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from model.description.errors import BundleError
from model.importing.mlflow.folder import ModelFolder
from model.importing.source import ExampleRows, ModelSource

DESCRIPTION = "MLmodel"
DESCRIPTION_LIMIT = 1 << 20
EXAMPLE_LIMIT = 16 << 20
BOOSTER_LIMIT = 1 << 30
NUMBERS = ("double", "float", "long", "integer")
OTHER_LIBRARIES = (
    "lightgbm",
    "catboost",
    "h2o",
    "spark",
    "pytorch",
    "keras",
    "tensorflow",
    "onnx",
    "prophet",
)


def read_mlflow_model(folder: ModelFolder, origin: str) -> ModelSource:
    """Read a model of the flavor xgboost; raises BundleError for any other."""
    description = read_yaml(folder.file(DESCRIPTION, DESCRIPTION_LIMIT), folder.location)
    flavors = description.get("flavors")
    if not isinstance(flavors, dict) or not flavors:
        raise BundleError(f"{folder.location}: {DESCRIPTION} names no flavors, so it was not saved whole")
    flavor = flavors.get("xgboost")
    if not isinstance(flavor, dict):
        raise _no_booster(flavors, origin)
    data = flavor.get("data")
    if not isinstance(data, str):
        raise BundleError(f"{folder.location}: {DESCRIPTION} does not name the booster's file (data)")
    return ModelSource(
        folder.file(data, BOOSTER_LIMIT),
        origin,
        _features(description.get("signature"), folder.location),
        _example(description.get("saved_input_example_info"), folder),
        # MLflow scores a Booster with all rounds, and an estimator with those up to the best iteration.
        all_trees=text_of(flavor, "model_class").endswith("Booster"),
    )


def read_yaml(file: Path, location: str) -> dict[str, Any]:
    """Read an object without running code; raises BundleError."""
    import yaml

    try:
        content = yaml.safe_load(file.read_bytes())
    except (yaml.YAMLError, RecursionError, ValueError):
        raise BundleError(f"{location}: {file.name} is not the YAML that MLflow writes") from None
    if not isinstance(content, dict):
        raise BundleError(f"{location}: {file.name} is not the YAML that MLflow writes")
    return content


def text_of(members: Mapping[str, Any], name: str) -> str:
    """Return a member if it is a text; other YAML can be endless when it is written out."""
    value = members.get(name)
    return value if isinstance(value, str) else ""


def _no_booster(flavors: Mapping[str, Any], origin: str) -> BundleError:
    for name in OTHER_LIBRARIES:
        if name in flavors:
            return BundleError(f"{origin}: is a model of {name}, and only XGBoost models are served")
    names = " and ".join(str(name) for name in flavors if len(flavors) == 1 or name != "python_function")
    load = "mlflow.sklearn.load_model" if "sklearn" in flavors else "mlflow.pyfunc.load_model"
    return BundleError(
        f"{origin}: has the flavor {names}, a pickle, and reading a pickle can run code; in the environment "
        f"of the model, load it with {load}, and save what it loads: "
        'paygrade.save(pipeline, "bundle/", name=…, sample=…)'
    )


def _features(signature: object, location: str) -> list[dict[str, Any]]:
    """Return the columns of the signature; none if it has no names."""
    text = signature.get("inputs") if isinstance(signature, dict) else None
    if text is None:
        return []
    columns = _json(text, f"{location}: the signature")
    if not isinstance(columns, list) or not all(isinstance(column, dict) for column in columns):
        raise BundleError(f"{location}: the signature is not one that MLflow writes")
    named = [column for column in columns if isinstance(column.get("name"), str)]
    return [_feature(column, location) for column in named] if len(named) == len(columns) else []


def _feature(column: Mapping[str, Any], location: str) -> dict[str, Any]:
    name, kind = column["name"], column.get("type")
    if kind == "boolean":
        return {"name": name, "type": kind}
    if kind not in (*NUMBERS, "string", "tensor"):
        raise BundleError(f"{location}: the column {name!r} is of type {kind}, which no booster takes")
    return {"name": name}  # a text is a category, and only the booster knows which there are


def _example(info: object, folder: ModelFolder) -> ExampleRows | None:
    """Return the rows of an example that has rows: a data frame, or an array of two dimensions."""
    if not isinstance(info, dict) or info.get("type") not in ("dataframe", "ndarray"):
        return None
    name = text_of(info, "artifact_path")
    if not name:
        return None
    file = folder.file(name, EXAMPLE_LIMIT)
    content = _json(file.read_text(encoding="utf-8", errors="replace"), f"{folder.location}: {name}")
    columns = content.get("columns", []) if isinstance(content, dict) else []
    rows = content.get("data", content.get("inputs")) if isinstance(content, dict) else content
    if not isinstance(rows, list) or not rows or not all(isinstance(row, list) for row in rows):
        return None
    if not isinstance(columns, list) or not all(isinstance(column, str) for column in columns):
        return None
    return ExampleRows(name, rows, columns)


def _json(text: object, location: str) -> Any:
    try:
        return json.loads(text) if isinstance(text, str) else None
    except (ValueError, RecursionError):
        raise BundleError(f"{location} is not JSON") from None
