"""Writes the two files of a bundle: completely, or not at all."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from paygrade.saving.errors import SaveRefused

MODEL_FILE = "model.ubj"
DESCRIPTION_FILE = "bundle.json"


def write_bundle(directory: Path, model: bytes, description: Mapping[str, Any]) -> None:
    """Write a bundle, in place of one that was written there before; raises SaveRefused."""
    if directory.exists():
        _require_bundle(directory)
    signed = {**description, "sha256": digest(description, model)}
    text = json.dumps(signed, indent=2, ensure_ascii=False, allow_nan=False) + "\n"
    try:
        directory.parent.mkdir(parents=True, exist_ok=True)
        draft = Path(tempfile.mkdtemp(prefix=f".{directory.name}-", dir=directory.parent))
    except OSError as error:
        raise SaveRefused(f"{directory}: cannot be written: {error.strerror}") from None
    try:
        draft.chmod(0o755)
        (draft / MODEL_FILE).write_bytes(model)
        (draft / DESCRIPTION_FILE).write_text(text, encoding="utf-8")
        if directory.exists():
            shutil.rmtree(directory)
        draft.rename(directory)
    except OSError as error:
        raise SaveRefused(f"{directory}: cannot be written: {error.strerror}") from None
    finally:
        shutil.rmtree(draft, ignore_errors=True)


def digest(description: Mapping[str, Any], model: bytes) -> str:
    """Return the sha256 of a bundle: of the description, as ASCII JSON with sorted keys, and of the model."""
    signed = json.dumps(description, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(signed.encode() + model).hexdigest()


def shortest(scores: Any) -> list[Any]:
    """Convert scores to the shortest numbers that read back the same: 260.00012, not 260.0001220703125."""
    if scores.ndim > 1:
        return [shortest(row) for row in scores]
    return [float(str(score)) for score in scores]


def _require_bundle(directory: Path) -> None:
    others = directory.is_dir() and {file.name for file in directory.iterdir()} - {
        MODEL_FILE,
        DESCRIPTION_FILE,
    }
    if not directory.is_dir() or others:
        raise SaveRefused(f"{directory}: holds something else than a bundle; name a new directory")
