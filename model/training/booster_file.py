"""Reads model files from elsewhere, and recognises what is not an XGBoost model."""

from pathlib import Path

import xgboost

from model.booster import SAVE_MODEL, read_booster
from model.description.errors import BundleError
from model.training.older_versions import NOTES_TREES_OF_ROUND, Use, rewrite
from model.versions import parse, saved_by

WHOLE = Use()
OTHER_FORMATS = {
    b"\x80": f"is a pickle, and reading a pickle can run code; {SAVE_MODEL}",
    b"\x1f\x8b": (
        "is a compressed file; a joblib file contains a pickle, and reading a pickle can run code; "
        f"{SAVE_MODEL}"
    ),
    b"x\x9c": f"is a joblib file, and reading the pickle in it can run code; {SAVE_MODEL}",
    b"binf": (
        "is in the binary format that XGBoost 3.1 removed; load it with the version that wrote it, "
        f"and {SAVE_MODEL}"
    ),
    b"tree\n": "is a LightGBM model, and only XGBoost models are supported; train it again with xgboost",
    b"CBM1": "is a CatBoost model, and only XGBoost models are supported; train it again with xgboost",
    b"[": f"is a dump of trees, which cannot be loaded; {SAVE_MODEL}",
}
"""What is wrong with a file, by its first bytes."""


def read_model_file(file: Path, use: Use = WHOLE) -> tuple[xgboost.Booster, str]:
    """Return the booster, which scores as the version of XGBoost did that saved it, and that version.

    Raises BundleError.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise BundleError(f"{file}: cannot be read: {error.strerror}") from None
    for start, problem in OTHER_FORMATS.items():
        if content.startswith(start):
            raise BundleError(f"{file.name}: {problem}")
    version = saved_by(content)
    booster = read_booster(content, file.name)
    if not version:
        raise BundleError(f"{file.name}: does not tell which XGBoost saved it; {SAVE_MODEL}")
    if parse(version) < NOTES_TREES_OF_ROUND:
        booster = read_booster(rewrite(content, version, use, file.name), file.name)
    return booster, version
