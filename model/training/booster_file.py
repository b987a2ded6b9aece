"""Reads model files from elsewhere, and recognises what is not an XGBoost model."""

import re
from pathlib import Path

import xgboost

from model.booster import SAVE_MODEL, read_booster
from model.description.errors import BundleError

JSON_VERSION = re.compile(rb'"version"\s*:\s*\[\s*(\d+)\s*,\s*(\d+)')
UBJSON_VERSION = re.compile(rb"\x07version\[#L\x00{7}\x03i(.)i(.)i", re.DOTALL)
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


def read_model_file(file: Path) -> tuple[xgboost.Booster, str]:
    """Return the booster, and the version of XGBoost that saved it ("unknown" before 1.0).

    Raises BundleError.
    """
    try:
        content = file.read_bytes()
    except OSError as error:
        raise BundleError(f"{file}: cannot be read: {error.strerror}") from None
    for start, problem in OTHER_FORMATS.items():
        if content.startswith(start):
            raise BundleError(f"{file.name}: {problem}")
    saved_by, installed = _saved_by(content), _parse(xgboost.__version__)
    if saved_by > installed:
        raise BundleError(
            f"{file.name}: was saved by XGBoost {_text(saved_by)}, and the installed {_text(installed)} may "
            "misread it; train it with the installed version, or use a newer Paygrade"
        )
    with xgboost.config_context(verbosity=0):  # XGBoost warns of files of its older versions
        return read_booster(content, file.name), _text(saved_by)


def _saved_by(content: bytes) -> tuple[int, int]:
    if found := JSON_VERSION.findall(content):
        major, minor = found[-1]
        return int(major), int(minor)
    if found := UBJSON_VERSION.findall(content):
        major, minor = found[-1]
        return major[0], minor[0]
    return 0, 0


def _parse(version: str) -> tuple[int, int]:
    major, minor, *_ = version.split(".")
    return int(major), int(minor)


def _text(version: tuple[int, int]) -> str:
    return ".".join(map(str, version)) if any(version) else "unknown"
