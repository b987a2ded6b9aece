"""Says what a pickle holds, by the names of modules in it; it is never unpickled."""

import bz2
import lzma
import zlib
from collections.abc import Callable
from typing import Any

from model.booster import SAVE_MODEL

SEARCHED = 64 << 20
"""How many bytes are searched, after decompression."""
DANGER = "reading a pickle can run code"
ANOTHER = "and only XGBoost models are supported; train it again with xgboost"
SAVE_PIPELINE = 'in its own environment, load it and run paygrade.save(pipeline, "bundle/", name=…, sample=…)'
LIBRARIES = {
    b"xgboost": f"is a pickled XGBoost model, and {DANGER}; load it in its own environment, and {SAVE_MODEL}",
    b"lightgbm": f"is a pickled LightGBM model, {ANOTHER}",
    b"catboost": f"is a pickled CatBoost model, {ANOTHER}",
    b"sklearn": f"is a pickled scikit-learn model, and {DANGER}; {SAVE_PIPELINE}",
}
"""What a pickle is, by the library that it names first: that of the object itself."""
UNKNOWN = (
    f"is a pickle, and {DANGER}; load it in its own environment, and {SAVE_MODEL} or, if it is a pipeline of "
    "scikit-learn, run paygrade.save"
)
COMPRESSED: dict[bytes, Callable[[], Any]] = {
    b"\x1f\x8b": lambda: zlib.decompressobj(wbits=31),
    b"x\x01": zlib.decompressobj,
    b"x^": zlib.decompressobj,
    b"x\x9c": zlib.decompressobj,
    b"x\xda": zlib.decompressobj,
    b"BZh": bz2.BZ2Decompressor,
    b"\xfd7zXZ": lzma.LZMADecompressor,
}
"""How joblib compresses, by the first bytes of a file."""


def describe_pickle(content: bytes) -> str:
    """Say in one line what a pickled model is, and what to do with it; empty for what is no such file."""
    pickle = _decompressed(content)
    if not pickle.startswith(b"\x80"):
        return ""
    found = {name: position for name in LIBRARIES if (position := pickle.find(name)) >= 0}
    if not found:
        return UNKNOWN
    first = min(found, key=found.__getitem__)
    if first == b"sklearn" and b"xgboost" not in found:  # a pipeline is of the library of its model
        first = next((name for name in (b"lightgbm", b"catboost") if name in found), first)
    return LIBRARIES[first]


def _decompressed(content: bytes) -> bytes:
    """Return what is searched: the file, or what joblib has compressed."""
    for start, make in COMPRESSED.items():
        if content.startswith(start):
            try:
                decompressed: bytes = make().decompress(content, SEARCHED)
            except (OSError, EOFError, ValueError, zlib.error, lzma.LZMAError):
                return b""
            return decompressed
    return content[:SEARCHED]
