"""Checks and loads the files of boosters."""

from typing import Any

from model.description.errors import BundleError
from model.engines.xgboost import Booster, EngineError
from model.stored.document import read_document, version_of
from model.stored.errors import Malformed
from model.stored.learner import check_learner
from model.versions import check_readable

SAVE_MODEL = 'save the model with booster.save_model("model.json")'
"""Before 1.6, XGBoost writes its old binary format to a file with any other ending."""


def check_model(model: bytes, location: str) -> dict[str, Any]:
    """Return what a model file holds, in UBJSON or JSON, once XGBoost can safely load it.

    Raises BundleError, which names `location`.
    """
    if model.startswith(b"\x80"):
        raise BundleError(f"{location} is a pickle, and reading a pickle can run code; {SAVE_MODEL}")
    try:
        document = read_document(model)
        check_readable(model, version_of(document), location)
        check_learner(document)
    except Malformed as error:
        raise BundleError(f"{location} is not a complete XGBoost model: {error}; {SAVE_MODEL}") from None
    return document


def read_booster(model: bytes, location: str) -> Booster:
    """Check and load a model; raises BundleError, which names `location`."""
    check_model(model, location)
    try:
        return Booster(model)
    except (EngineError, ValueError):  # the latter when the configuration quotes the file
        raise not_complete(location) from None


def not_complete(location: str) -> BundleError:
    """Return the error for a model that XGBoost itself does not load."""
    return BundleError(f"{location} is not a complete XGBoost model; {SAVE_MODEL}")
