"""Reads model files from elsewhere."""

from pathlib import Path

import xgboost

from model.booster import SAVE_MODEL, check_model, read_booster
from model.description.errors import BundleError
from model.importing.foreign_files import problem_of
from model.importing.older_versions import NOTES_TREES_OF_ROUND, Use, rewrite
from model.stored.document import version_of
from model.versions import parse

WHOLE = Use()


def read_model_file(file: Path, use: Use = WHOLE) -> tuple[xgboost.Booster, str]:
    """Return the booster, which scores as the version of XGBoost did that saved it, and that version.

    Raises BundleError.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise BundleError(f"{file}: cannot be read: {error.strerror}") from None
    if not content.startswith(b"{") and (problem := problem_of(content)):
        raise BundleError(f"{file.name}: {problem}")
    document = check_model(content, file.name)
    version = version_of(document)
    if not version:
        raise BundleError(f"{file.name}: does not tell which XGBoost saved it; {SAVE_MODEL}")
    if parse(version) < NOTES_TREES_OF_ROUND:
        content = rewrite(document, version, use, file.name)
    return read_booster(content, file.name), version
