"""Recognises files that are no saved XGBoost model, by their bytes alone, and knows the way that works."""

import bz2
import lzma
import re
import zlib
from collections.abc import Callable, Mapping

from model.booster import SAVE_MODEL

LOOKED_AT = 65_536
"""The first bytes that are searched; what a pickle holds is named there."""
RUNS_CODE = "and reading a pickle can run code"
SAVE_PIPELINE = (
    "write it as a bundle where it was made: "
    'paygrade.save(pipeline, "bundle/", name="NAME", target="TARGET", sample=rows)'
)
TRAIN_AGAIN = "and only XGBoost models are supported; train it again with xgboost"

PICKLED: Mapping[bytes, str] = {
    b"lightgbm": f"is a pickled LightGBM model, {TRAIN_AGAIN}",
    b"catboost": f"is a pickled CatBoost model, {TRAIN_AGAIN}",
    b"sklearn.pipeline": f"is a pickled scikit-learn Pipeline, {RUNS_CODE}; {SAVE_PIPELINE}",
    b"sklearn.": f"is a pickled scikit-learn estimator, {RUNS_CODE}; {SAVE_PIPELINE}",
    b"xgboost": f"is a pickled XGBoost model, {RUNS_CODE}; load it where it was made, and {SAVE_MODEL}",
}
"""What a pickle holds, by the names of modules in it; the first that is found counts."""
UNKNOWN_PICKLE = (
    f"is a pickle, {RUNS_CODE}; load it where it was made, and {SAVE_MODEL} or, if it is a scikit-learn "
    f"pipeline, {SAVE_PIPELINE}"
)
OTHER_FORMATS: Mapping[bytes, str] = {
    b"tree\n": f"is a LightGBM model, {TRAIN_AGAIN}",
    b"CBM1": f"is a CatBoost model, {TRAIN_AGAIN}",
    b"[": f"is a dump of trees, which cannot be loaded; {SAVE_MODEL}",
    b"booster[": f"is a dump of trees, which cannot be loaded; {SAVE_MODEL}",
    b"PK\x03\x04": f"is a zip archive, not an XGBoost model; {SAVE_MODEL}",
    b"PAR1": f"is a Parquet table, not an XGBoost model; {SAVE_MODEL}",
    b"<?xml": f"is XML (PMML?), {TRAIN_AGAIN}, or {SAVE_MODEL} if it was made of one",
    b"\x89HDF": f"is an HDF5 file (Keras?), {TRAIN_AGAIN}",
}
"""What is wrong with a file, by its first bytes."""
BINARY = (
    "is in the binary format that XGBoost 3.1 removed; load it with any XGBoost from 1.0 to 3.0 "
    "(xgboost.Booster(model_file=...)), and " + SAVE_MODEL
)
BOOSTER_NAME = re.compile(rb"gbtree|gblinear|dart")
"""What the old binary format has near its start."""

Unpack = Callable[[bytes], bytes]
ZLIB = (b"x\x01", b"x^", b"x\x9c", b"x\xda")
PACKED: Mapping[tuple[bytes, ...], Unpack] = {
    (b"\x1f\x8b",): lambda packed: zlib.decompressobj(wbits=31).decompress(packed, LOOKED_AT),
    ZLIB: lambda packed: zlib.decompressobj().decompress(packed, LOOKED_AT),
    (b"BZh",): lambda packed: bz2.BZ2Decompressor().decompress(packed, LOOKED_AT),
    (b"\xfd7zXZ",): lambda packed: lzma.LZMADecompressor().decompress(packed, LOOKED_AT),
}
"""The compressions of joblib, by their first bytes."""


def problem_of(content: bytes) -> str:
    """Say what a file is, and what to do instead; empty if it may be an XGBoost model."""
    first_bytes = content[:LOOKED_AT]
    start = _unpack(content)
    if start.startswith(b"\x80"):
        return next((problem for name, problem in PICKLED.items() if name in start), UNKNOWN_PICKLE)
    if start != first_bytes:
        return f"is a compressed file; unpack it, or {SAVE_MODEL}"
    for first, problem in OTHER_FORMATS.items():
        if start.startswith(first):
            return problem
    if start.startswith(b"\x08") and b"onnx" in start.lower():
        return f"is an ONNX model, which only has some of what XGBoost knows; {SAVE_MODEL}"
    return BINARY if start.startswith(b"binf") or BOOSTER_NAME.search(start[:400]) else ""


def _unpack(content: bytes) -> bytes:
    """Return the first bytes, without the compression that joblib may have used."""
    for first, unpack in PACKED.items():
        if content.startswith(first):
            try:
                return unpack(content)
            except (zlib.error, OSError, EOFError, lzma.LZMAError):
                break
    return content[:LOOKED_AT]
