"""Write a bundle, and publish it: whole or not at all, and never over another."""

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import xgboost
from numpy.typing import NDArray

from model.booster import read_booster
from model.bundle import Bundle
from model.description.errors import BundleError
from model.description.manifest import DESCRIPTION_FILE, MODEL_FILE, Manifest, digest
from model.description.schema import Schema
from model.golden import shortest
from model.matrix import Encoder
from model.objective import read_objective
from model.registry import DirectoryRegistry, Registry, Taken
from model.scorer import Scorer


def publish(
    root: Path, booster: xgboost.Booster, description: Mapping[str, Any], golden_rows: list[dict[str, Any]]
) -> Manifest:
    """Write `<root>/<name>/<version>/` once it has loaded and scored; writing the same again changes nothing.

    `description` is `bundle.json` without what is read off the model: objective, quantiles, explained,
    xgboost, golden and sha256. Without a version it becomes the next one.
    """
    version = description.get("version")
    with tempfile.TemporaryDirectory(prefix="paygrade-") as folder:
        draft = Path(folder)
        _write(draft, booster, {**description, "version": version or 1}, golden_rows)
        Bundle.load(Manifest.read(draft))
        ref = publish_draft(draft, DirectoryRegistry(root, create=True), version)
    return Manifest.read(root / ref.replace("@", "/"))


def publish_copy(directory: Path, shelf: Registry, version: int | None = None) -> str:
    """Publish a bundle from elsewhere, once it has loaded and scored; returns what it is called there."""
    Bundle.load(Manifest.read(directory))
    with tempfile.TemporaryDirectory(prefix="paygrade-") as folder:
        draft = Path(folder)
        for file in (DESCRIPTION_FILE, MODEL_FILE):
            shutil.copyfile(directory / file, draft / file)
        return publish_draft(draft, shelf, version)


def publish_draft(draft: Path, shelf: Registry, version: int | None) -> str:
    """Publish as this version, or as the next; returns its ref.

    What is published already, and is the same but for its version, is not published again.
    """
    name = Manifest.read(draft).name
    known = sorted(int(one.version) for one in shelf.places() if one.name == name and one.version.isdigit())
    while True:
        wanted = version or (known[-1] + 1 if known else 1)
        same = version or wanted - 1
        if same in known and _sha_there(shelf, name, same) == _renumber(draft, same):
            return f"{name}@{same}"
        _renumber(draft, wanted)
        try:
            shelf.put(draft, name, wanted)
        except Taken as taken:
            if version:
                raise BundleError(
                    f"{taken} and differs; a published version never changes, so raise the version"
                ) from None
            known.append(wanted)  # somebody else was quicker
            continue
        return f"{name}@{wanted}"


def _sha_there(shelf: Registry, name: str, version: int) -> str:
    """Empty if what stands there cannot be read."""
    for place in shelf.places():
        if (place.name, place.version) == (name, str(version)):
            try:
                return shelf.read(place).sha256
            except BundleError:
                return ""
    return ""


def _renumber(draft: Path, version: int) -> str:
    """Make a draft this version, and sign it anew; returns its sha256."""
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
    objective = read_objective(booster, ref)
    model = directory / MODEL_FILE
    booster.save_model(model)
    schema = Schema.from_list(description["features"])
    matrix = Encoder(schema).encode(schema.check_rows(golden_rows, "/golden/rows"))
    # As it is read again, and not as it was trained: a parameter of training may not be saved.
    saved = read_booster(model.read_bytes(), ref)
    transform = description.get("transform", "")
    scorer = Scorer(saved, objective, description["trees"], schema.base_margin, transform)
    written = {
        **description,
        "objective": objective.name,
        **({"quantiles": list(objective.quantiles)} if objective.quantiles else {}),
        **({} if _explains(scorer, matrix) else {"explained": False}),
        "xgboost": xgboost.__version__,
        "golden": {"rows": golden_rows, "predictions": shortest(scorer.score(matrix))},
    }
    _sign(written, directory)


def _sign(description: Mapping[str, Any], directory: Path) -> None:
    """Write the description of the model that is there, with the sha256 of both."""
    unsigned = {name: value for name, value in description.items() if name != "sha256"}
    signed = {**unsigned, "sha256": digest(unsigned, directory / MODEL_FILE)}
    text = json.dumps(signed, indent=2, ensure_ascii=False) + "\n"
    (directory / DESCRIPTION_FILE).write_text(text, encoding="utf-8")


def _explains(scorer: Scorer, matrix: NDArray[np.float32]) -> bool:
    """Not every kind of tree can be explained by XGBoost, such as those with several numbers in a leaf."""
    try:
        scorer.explain(matrix[:1])
    except xgboost.core.XGBoostError:
        return False
    return True
