"""Write a bundle: whole or not at all, and never over another."""

import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import xgboost

from model.bundle import Bundle, score, served_objective
from model.errors import BundleError
from model.golden import shortest
from model.manifest import DESCRIPTION_FILE, MODEL_FILE, Manifest, digest
from model.matrix import Encoder
from model.schema import Schema


def publish(
    root: Path, booster: xgboost.Booster, description: Mapping[str, Any], golden_rows: list[dict[str, Any]]
) -> Manifest:
    """Write `<root>/<name>/<version>/` once it has loaded and scored; writing the same again changes nothing.

    `description` is `bundle.json` without what is read off the model: objective, xgboost, golden and sha256.
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
    objective = served_objective(booster, f"{description['name']}@{description['version']}")
    model = directory / MODEL_FILE
    booster.save_model(model)
    schema = Schema.from_list(description["features"])
    matrix = Encoder(schema).encode(schema.check_rows(golden_rows, "/golden/rows"))
    predictions = shortest(score(booster, matrix, description["trees"]))
    written = {
        **description,
        "objective": objective,
        "xgboost": xgboost.__version__,
        "golden": {"rows": golden_rows, "predictions": predictions},
    }
    written["sha256"] = digest(written, model)
    text = json.dumps(written, indent=2, ensure_ascii=False) + "\n"
    (directory / DESCRIPTION_FILE).write_text(text, encoding="utf-8")


def _require_same(draft: Path, place: Path, manifest: Manifest) -> None:
    for name in (DESCRIPTION_FILE, MODEL_FILE):
        published = place / name
        if not published.is_file() or published.read_bytes() != (draft / name).read_bytes():
            raise BundleError(
                f"{place}: {manifest.ref} is published already and differs; "
                "a published version never changes, so raise the version"
            )
