"""XGBoost's shared library and its C interface, without XGBoost's Python layer and all that this imports."""

import ctypes
import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

LIBRARY = "libxgboost.dylib" if sys.platform == "darwin" else "libxgboost.so"

Handle = ctypes.c_void_p
Size = ctypes.c_uint64
Text = ctypes.c_char_p
Sizes = ctypes.POINTER(Size)
Floats = ctypes.POINTER(ctypes.c_float)
Texts = ctypes.POINTER(Text)
HandleOut = ctypes.POINTER(Handle)

_PREDICTED = (ctypes.POINTER(Sizes), Sizes, ctypes.POINTER(Floats))
"""Where a prediction puts its shape, the number of its dimensions, and its values."""
PROTOTYPES: dict[str, tuple[Any, ...]] = {
    "XGBGetGlobalConfig": (Texts,),
    "XGBSetGlobalConfig": (Text,),
    "XGBoosterCreate": (HandleOut, Size, HandleOut),
    "XGBoosterFree": (Handle,),
    "XGBoosterSetParam": (Handle, Text, Text),
    "XGBoosterLoadModelFromBuffer": (Handle, Text, Size),
    "XGBoosterSaveJsonConfig": (Handle, Sizes, Texts),
    "XGBoosterGetNumFeature": (Handle, Sizes),
    "XGBoosterGetStrFeatureInfo": (Handle, Text, Sizes, ctypes.POINTER(Texts)),
    "XGBoosterBoostedRounds": (Handle, ctypes.POINTER(ctypes.c_int)),
    "XGBoosterPredictFromDense": (Handle, Text, Text, Handle, *_PREDICTED),
    "XGBoosterPredictFromDMatrix": (Handle, Handle, Text, *_PREDICTED),
    "XGProxyDMatrixCreate": (HandleOut,),
    "XGDMatrixCreateFromDense": (Text, Text, HandleOut),
    "XGDMatrixSetInfoFromInterface": (Handle, Text, Text),
    "XGDMatrixFree": (Handle,),
}
"""The arguments of what is called, as c_api.h of XGBoost 3.2 to 3.4 declares them. All return a status."""


class EngineError(Exception):
    """XGBoost is not there, or refused a call; the message is then its own."""


@cache
def library() -> ctypes.CDLL:
    """Load the library: after a fork, never before. Each call of it that fails raises EngineError."""
    loaded = ctypes.CDLL(str(_library_file()))
    loaded.XGBGetLastError.argtypes, loaded.XGBGetLastError.restype = (), Text

    def check(status: int, *_: Any) -> None:
        if status:
            # The message may quote a damaged file, and ends with a trace of the library.
            message = loaded.XGBGetLastError().decode(errors="replace")
            raise EngineError(message.partition("\nStack trace:")[0])

    for name, arguments in PROTOTYPES.items():
        function = getattr(loaded, name)
        function.argtypes, function.restype, function.errcheck = arguments, ctypes.c_int, check
    return loaded


@cache
def installed_version() -> str:
    """Return the version of XGBoost, such as "3.2.0"; raises EngineError."""
    parts = [ctypes.c_int() for _ in range(3)]
    version = library().XGBoostVersion
    version.argtypes, version.restype = [ctypes.POINTER(ctypes.c_int)] * 3, None
    version(*map(ctypes.byref, parts))
    return ".".join(str(part.value) for part in parts)


@contextmanager
def silence() -> Iterator[None]:
    """Let XGBoost warn of nothing in this thread."""
    before = Text()
    library().XGBGetGlobalConfig(ctypes.byref(before))
    verbosity = json.loads(before.value or b"{}")["verbosity"]
    library().XGBSetGlobalConfig(b'{"verbosity":0}')
    try:
        yield
    finally:
        library().XGBSetGlobalConfig(b'{"verbosity":%d}' % int(verbosity))


def _library_file() -> Path:
    spec = find_spec("xgboost")  # finds the package without importing it
    for folder in (spec.submodule_search_locations or ()) if spec else ():
        file = Path(folder, "lib", LIBRARY)
        if file.is_file():
            return file
    raise EngineError(f"XGBoost is not installed, or lacks lib/{LIBRARY}; install the package xgboost-cpu")
