"""Writes bundles and publishes them: completely or not at all, and never over an existing version."""

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xgboost
from numpy.typing import NDArray

from model.booster import EXPECTILE, read_booster, read_objective
from model.bundle import Bundle, RowEncoder, Scorer
from model.description.errors import BundleError
from model.description.manifest import DESCRIPTION_FILE, MODEL_FILE, Manifest, digest
from model.description.schema import Schema
from model.finishing import finish_of
from model.preparation import preparation_of
from model.registry.directory import DirectoryRegistry
from model.registry.interface import Registry, VersionExists


def publish(
    root: Path, booster: xgboost.Booster, description: Mapping[str, Any], golden_rows: list[dict[str, Any]]
) -> Manifest:
    """Write `<root>/<name>/<version>/` after a test load; publishing the same bundle again changes nothing.

    `description` is `bundle.json` without what is read from the model: objective, quantiles, explained,
    golden (but for its `probes`) and sha256. Its `xgboost` is the version whose scores are wanted: the
    installed one if it is left out. Without a version the bundle gets the next one. Raises BundleError,
    SchemaError, InvalidRows or RegistryUnavailable.
    """
    version = description.get("version")
    with tempfile.TemporaryDirectory(prefix="paygrade-") as folder:
        draft = Path(folder)
        _write(draft, booster, {**description, "version": version or 1}, golden_rows)
        Bundle.load(Manifest.read(draft))
        ref = publish_draft(draft, DirectoryRegistry(root, create=True), version)
    return Manifest.read(root / ref.replace("@", "/"))


def publish_copy(directory: Path, registry: Registry, version: int | None = None) -> str:
    """Publish an existing bundle after a test load; returns its ref in the registry.

    Raises BundleError or RegistryUnavailable.
    """
    Bundle.load(Manifest.read(directory))
    with tempfile.TemporaryDirectory(prefix="paygrade-") as folder:
        draft = Path(folder)
        for file in (DESCRIPTION_FILE, MODEL_FILE):
            shutil.copyfile(directory / file, draft / file)
        return publish_draft(draft, registry, version)


def publish_draft(draft: Path, registry: Registry, version: int | None) -> str:
    """Publish a draft as this version or as the next one; returns its ref.

    A draft that equals the version (or the newest one) apart from its number is not published again.
    """
    name = Manifest.read(draft).name
    bundles = registry.list_bundles()
    published = sorted(int(ref.version) for ref in bundles if ref.name == name and ref.version.isdigit())
    while True:
        wanted = version or (published[-1] + 1 if published else 1)
        newest = version or wanted - 1
        if newest in published and _published_sha256(registry, name, newest) == _renumber(draft, newest):
            return f"{name}@{newest}"
        _renumber(draft, wanted)
        try:
            registry.put(draft, name, wanted)
        except VersionExists as error:
            if version:
                raise BundleError(
                    f"{error} and differs; a published version never changes, so raise the version"
                ) from None
            published.append(wanted)  # another process was faster
            continue
        return f"{name}@{wanted}"


def shortest(scores: NDArray[np.float32]) -> list[Any]:
    """Convert float32 to the shortest numbers that read back the same: 260.00012, not 260.0001220703125."""
    if scores.ndim > 1:
        return [shortest(row) for row in scores]
    return [float(str(score)) for score in scores]


def _published_sha256(registry: Registry, name: str, version: int) -> str:
    """Return the sha256 of a published bundle, or "" if it cannot be read."""
    for ref in registry.list_bundles():
        if (ref.name, ref.version) == (name, str(version)):
            try:
                return registry.read(ref).sha256
            except BundleError:
                return ""
    return ""


def _renumber(draft: Path, version: int) -> str:
    """Set the version of a draft, and sign it again; returns its sha256."""
    file = draft / DESCRIPTION_FILE
    description = json.loads(file.read_text(encoding="utf-8"))
    if description["version"] != version:
        _sign({**description, "version": version}, draft)
    return Manifest.read(draft).sha256


def _write(
    directory: Path,
    booster: xgboost.Booster,
    description: Mapping[str, Any],
    golden_rows: list[dict[str, Any]],
) -> None:
    ref = f"{description['name']}@{description['version']}"
    version = description.get("xgboost", xgboost.__version__)
    objective = read_objective(booster, ref, version)
    model = directory / MODEL_FILE
    booster.save_model(model)
    schema = Schema.from_list(description["features"])
    matrix = RowEncoder(schema).encode(schema.check_rows(golden_rows, "/golden/rows"))
    # Score with the saved model, since a parameter of training may not be saved.
    saved = read_booster(model.read_bytes(), ref)
    preparation = preparation_of(schema, description.get("missing"))
    finish = finish_of(description.get("transform", ""), description.get("transform_type", "float64"))
    scorer = Scorer(saved, objective, description["trees"], preparation, finish)
    complete = {
        **description,
        "objective": objective.name,
        **({"quantiles": list(objective.quantiles)} if objective.quantiles else {}),
        **_explained(scorer, matrix),
        "xgboost": version,
        "golden": {
            **description.get("golden", {}),
            "rows": golden_rows,
            "predictions": shortest(scorer.score(matrix)),
        },
    }
    _sign(complete, directory)


def _sign(description: Mapping[str, Any], directory: Path) -> None:
    """Write the description of the model in `directory`, with the sha256 of both."""
    unsigned = {name: value for name, value in description.items() if name != "sha256"}
    signed = {**unsigned, "sha256": digest(unsigned, directory / MODEL_FILE)}
    text = json.dumps(signed, indent=2, ensure_ascii=False) + "\n"
    (directory / DESCRIPTION_FILE).write_text(text, encoding="utf-8")


def _explained(scorer: Scorer, matrix: NDArray[np.float32]) -> dict[str, Any]:
    """Return what the description says of explanations, if the model has none."""
    if scorer.objective.targets > 1:
        return {"explained": False, "unexplained": "it predicts several targets"}
    if scorer.objective.name == EXPECTILE and scorer.objective.quantiles:
        return {"explained": False, "unexplained": "its expectiles build on one another"}
    try:
        scorer.explain(matrix[:1])
    except xgboost.core.XGBoostError:  # before 3.3
        return {"explained": False, "unexplained": "its trees have several numbers in a leaf"}
    return {}
