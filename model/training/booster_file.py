"""A model file from elsewhere: what it is, and which XGBoost wrote it."""

import re
from pathlib import Path

import xgboost

from model.booster import SAVE, read_booster
from model.description.errors import BundleError

JSON_VERSION = re.compile(rb'"version"\s*:\s*\[\s*(\d+)\s*,\s*(\d+)')
UBJSON_VERSION = re.compile(rb"\x07version\[#L\x00{7}\x03i(.)i(.)i", re.DOTALL)
OTHERS = {
    b"\x80": "is a pickle, and a pickle can run code when it is read",
    b"\x1f\x8b": "is a compressed file; a joblib file holds a pickle, which can run code when it is read",
    b"x\x9c": "is a joblib file, and the pickle inside can run code when it is read",
    b"binf": "is in the binary format that XGBoost 3.1 gave up; load it in the version that wrote it",
    b"tree\n": "is a LightGBM model; only XGBoost's are served: train it again with xgboost",
    b"CBM1": "is a CatBoost model; only XGBoost's are served: train it again with xgboost",
    b"[": "is a dump of trees, which cannot be read again",
}


def read_foreign(file: Path) -> tuple[xgboost.Booster, str]:
    """The booster, and the version that saved it; raises BundleError, in one line, for anything else."""
    try:
        content = file.read_bytes()
    except OSError as error:
        raise BundleError(f"{file}: cannot be read: {error.strerror}") from None
    for start, what in OTHERS.items():
        if content.startswith(start):
            way_out = "" if "train it again" in what else f"; {SAVE}"
            raise BundleError(f"{file.name}: {what}{way_out}")
    saved_by = _saved_by(content)
    if saved_by > (here := _numbers(xgboost.__version__)):
        raise BundleError(
            f"{file.name}: was saved by XGBoost {_text(saved_by)}, and here is {_text(here)}; "
            "what is newer may be read wrongly: train it with this version, or use a newer Paygrade"
        )
    with xgboost.config_context(verbosity=0):  # it warns of files of its older versions
        return read_booster(content, file.name), _text(saved_by)


def _saved_by(content: bytes) -> tuple[int, int]:
    if found := JSON_VERSION.findall(content):
        major, minor = found[-1]
        return int(major), int(minor)
    if found := UBJSON_VERSION.findall(content):
        major, minor = found[-1]
        return major[0], minor[0]
    return 0, 0


def _numbers(version: str) -> tuple[int, int]:
    major, minor, *_ = version.split(".")
    return int(major), int(minor)


def _text(version: tuple[int, int]) -> str:
    return ".".join(map(str, version)) if any(version) else "unknown"
