"""Reads model files from elsewhere."""

from pathlib import Path

import xgboost

from model.booster import SAVE_MODEL, check_model, not_complete
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
    return load_booster(content, file.name), version


def load_booster(model: bytes, location: str) -> xgboost.Booster:
    """Check and load a model with XGBoost's Python layer; raises BundleError, which names `location`."""
    check_model(model, location)
    booster = xgboost.Booster({"nthread": 1})
    try:
        # XGBoost warns of files of its older versions, and of boosters that a newer one may not have.
        with xgboost.config_context(verbosity=0):
            booster.load_model(bytearray(model))
            booster.save_config()
    except (xgboost.core.XGBoostError, UnicodeDecodeError):  # the latter when the message quotes the file
        raise not_complete(location) from None
    return booster
