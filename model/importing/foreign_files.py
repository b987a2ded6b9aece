"""Recognises files that are no saved XGBoost model, by their bytes alone, and knows the way that works."""

import re
from collections.abc import Mapping

from model.booster import SAVE_MODEL
from model.importing.pickles import ANOTHER, COMPRESSED, describe_pickle

OTHER_FORMATS: Mapping[bytes, str] = {
    b"tree\n": f"is a LightGBM model, {ANOTHER}",
    b"CBM1": f"is a CatBoost model, {ANOTHER}",
    b"[": f"is a dump of trees, which cannot be loaded; {SAVE_MODEL}",
    b"booster[": f"is a dump of trees, which cannot be loaded; {SAVE_MODEL}",
    b"PK\x03\x04": f"is a zip archive, not an XGBoost model; {SAVE_MODEL}",
    b"PAR1": f"is a Parquet table, not an XGBoost model; {SAVE_MODEL}",
    b"<?xml": f"is XML (PMML?), {ANOTHER}, or {SAVE_MODEL} if it was made of one",
    **dict.fromkeys(COMPRESSED, f"is a compressed file; unpack it, or {SAVE_MODEL}"),
    b"\x89HDF": f"is an HDF5 file (Keras?), {ANOTHER}",
}
"""What is wrong with a file, by its first bytes."""
BINARY = (
    "is in the binary format that XGBoost 3.1 removed; load it with any XGBoost from 1.0 to 3.0 "
    "(xgboost.Booster(model_file=...)), and " + SAVE_MODEL
)
LOOKED_AT = 400
BOOSTER_NAME = re.compile(rb"gbtree|gblinear|dart")
"""What the old binary format has near its start."""


def problem_of(content: bytes) -> str:
    """Say what a file is, and what to do instead; empty if it may be an XGBoost model."""
    if pickled := describe_pickle(content):
        return pickled
    for start, problem in OTHER_FORMATS.items():
        if content.startswith(start):
            return problem
    if content.startswith(b"\x08") and b"onnx" in content[:LOOKED_AT].lower():
        return f"is an ONNX model, which only has some of what XGBoost knows; {SAVE_MODEL}"
    return BINARY if content.startswith(b"binf") or BOOSTER_NAME.search(content[:LOOKED_AT]) else ""
