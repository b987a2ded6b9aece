"""Write a bundle: whole or not at all, and never over another."""

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
from model.errors import BundleError
from model.golden import shortest
from model.manifest import DESCRIPTION_FILE, MODEL_FILE, Manifest, digest
from model.matrix import Encoder
from model.objective import read_objective
from model.schema import Schema
from model.scorer import Scorer


def publish(
    root: Path, booster: xgboost.Booster, description: Mapping[str, Any], golden_rows: list[dict[str, Any]]
) -> Manifest:
    """Write `<root>/<name>/<version>/` once it has loaded and scored; writing the same again changes nothing.

    `description` is `bundle.json` without what is read off the model: objective, quantiles, explained,
    xgboost, golden and sha256.
    """
    place = root / str(description["name"]) / str(description["version"])
    place.parent.mkdir(parents=True, exist_ok=True)
    # The dot keeps the catalog away; a sibling can be renamed in one step.
    draft = Path(tempfile.mkdtemp(prefix=f".{place.name}-", dir=place.parent))
    try:
        _write(draft, booster, description, golden_rows)
        manifest = Manifest.read(draft)
        Bundle.load(manifest)
        if place.exists():
            _require_same(draft, place, manifest)
        else:
            draft.chmod(0o755)
            draft.rename(place)
    finally:
        shutil.rmtree(draft, ignore_errors=True)
    return Manifest.read(place)


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
    written["sha256"] = digest(written, model)
    text = json.dumps(written, indent=2, ensure_ascii=False) + "\n"
    (directory / DESCRIPTION_FILE).write_text(text, encoding="utf-8")


def _explains(scorer: Scorer, matrix: NDArray[np.float32]) -> bool:
    """Not every kind of tree can be explained by XGBoost, such as those with several numbers in a leaf."""
    try:
        scorer.explain(matrix[:1])
    except xgboost.core.XGBoostError:
        return False
    return True


def _require_same(draft: Path, place: Path, manifest: Manifest) -> None:
    for name in (DESCRIPTION_FILE, MODEL_FILE):
        published = place / name
        if not published.is_file() or published.read_bytes() != (draft / name).read_bytes():
            raise BundleError(
                f"{place}: {manifest.ref} is published already and differs; "
                "a published version never changes, so raise the version"
            )
