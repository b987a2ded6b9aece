"""XGBoost, the reference engine: its shared library, a booster in it, and what a bundle asks of the booster.

The library is called through its C interface, without XGBoost's Python layer and all that this imports.
"""

import ctypes
import json
import sys
import threading
import weakref
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from ctypes import byref, c_char, c_int, memmove
from functools import cache, cached_property
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

from model.engines.engine import Explained, Floats

LIBRARY = "libxgboost.dylib" if sys.platform == "darwin" else "libxgboost.so"

Handle = ctypes.c_void_p
Size = ctypes.c_uint64
Text = ctypes.c_char_p
Sizes = ctypes.POINTER(Size)
FloatsOut = ctypes.POINTER(ctypes.c_float)
Texts = ctypes.POINTER(Text)
HandleOut = ctypes.POINTER(Handle)

_PREDICTED = (ctypes.POINTER(Sizes), Sizes, ctypes.POINTER(FloatsOut))
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

VALUE, MARGIN, CONTRIBUTIONS = range(3)
"""What to predict, by the numbers of XGBoost's C interface."""
MATRIX_OPTIONS = b'{"missing":NaN,"nthread":1}'


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


class Booster:
    """A model that XGBoost has loaded. Load it after a fork, never before: its threads do not survive one."""

    def __init__(self, model: bytes) -> None:
        """Load a checked model, in UBJSON or JSON; raises EngineError."""
        self.handle = Handle()
        library().XGBoosterCreate(None, 0, byref(self.handle))
        _free_with(self, library().XGBoosterFree)
        library().XGBoosterSetParam(self.handle, b"nthread", b"1")  # the processes share the cores
        # XGBoost warns of files of its older versions, and of boosters that a newer one may not have.
        with silence():
            library().XGBoosterLoadModelFromBuffer(self.handle, model, len(model))
        self.config = self._configure()

    def set_parameter(self, name: str, value: str) -> None:
        """Set one of XGBoost's own parameters."""
        library().XGBoosterSetParam(self.handle, name.encode(), value.encode())
        self._configure()  # now, and not in the first of several threads that predict

    @cached_property
    def features(self) -> int:
        """The number of features."""
        count = Size()
        library().XGBoosterGetNumFeature(self.handle, byref(count))
        return count.value

    @cached_property
    def feature_names(self) -> list[str]:
        """The names of the features; empty if the model does not know them."""
        count, names = Size(), Texts()
        library().XGBoosterGetStrFeatureInfo(self.handle, b"feature_name", byref(count), byref(names))
        return [names[number].decode() for number in range(count.value)]

    @cached_property
    def rounds(self) -> int:
        """The number of boosting rounds."""
        count = c_int()
        library().XGBoosterBoostedRounds(self.handle, byref(count))
        return count.value

    def _configure(self) -> dict[str, Any]:
        size, text = Size(), Text()
        with silence():
            library().XGBoosterSaveJsonConfig(self.handle, byref(size), byref(text))
        config: dict[str, Any] = json.loads(text.value or b"")
        return config


class XGBoostEngine:
    """The first `trees` rounds of a booster.

    Several threads may use it at once: XGBoost promises this for trees, and a linear booster takes turns.
    """

    def __init__(self, booster: Booster, trees: int, margins: bool = False) -> None:
        """With `margins` the scores are the sums of the trees, without XGBoost's link function."""
        learner = booster.config["learner"]
        kind = learner["gradient_booster"]["name"]
        # A linear model has no rounds to choose from.
        rounds = 0 if kind == "gblinear" else trees
        self._scores = _options(MARGIN if margins else VALUE, rounds)
        self._margins = _options(MARGIN, rounds)
        self._contributions = _options(CONTRIBUTIONS, rounds)
        # The other boosters add up in another order if they predict from an array.
        self._from_array = kind == "gbtree"
        self._turns: AbstractContextManager[Any] = threading.Lock() if kind == "gblinear" else nullcontext()
        self._kept = _Kept()
        self._booster = booster
        if learner["objective"]["name"] == "multi:softmax":  # which would give only the class
            booster.set_parameter("objective", "multi:softprob")

    def score(self, features: Floats, base_margin: Floats | None = None) -> Floats:
        """Return what XGBoost gives: (rows,), or (rows, scores of each row); raises EngineError."""
        if self._from_array:
            proxy = self._kept.proxy if base_margin is None else _Proxy(base_margin)
            shape, dimensions, values = Sizes(), Size(), FloatsOut()
            library().XGBoosterPredictFromDense(
                self._booster.handle,
                _interface(features),
                self._scores,
                proxy.handle,
                byref(shape),
                byref(dimensions),
                byref(values),
            )
            return _copied(values, shape[: dimensions.value])
        with _matrix(features, base_margin) as matrix, self._turns:
            return self._predict(matrix, self._scores)

    def explain(self, features: Floats, base_margin: Floats | None = None) -> Explained:
        """Return XGBoost's SHAP values; raises EngineError."""
        with _matrix(features, base_margin) as matrix, self._turns:
            return Explained(self._predict(matrix, self._contributions), self._predict(matrix, self._margins))

    def _predict(self, matrix: Handle, options: bytes) -> Floats:
        shape, dimensions, values = Sizes(), Size(), FloatsOut()
        library().XGBoosterPredictFromDMatrix(
            self._booster.handle, matrix, options, byref(shape), byref(dimensions), byref(values)
        )
        return _copied(values, shape[: dimensions.value])


class _Proxy:
    """Hands an array over to XGBoost, which takes longer to make a proxy than to score a row."""

    def __init__(self, base_margin: Floats | None = None) -> None:
        self.handle = Handle()
        library().XGProxyDMatrixCreate(byref(self.handle))
        _free_with(self, library().XGDMatrixFree)
        if base_margin is not None:
            _set_margin(self.handle, base_margin)


class _Kept(threading.local):
    """What each thread keeps: a proxy for arrays without a base margin, which no proxy would forget."""

    def __init__(self) -> None:
        self.proxy = _Proxy()


@contextmanager
def _matrix(features: Floats, base_margin: Floats | None) -> Iterator[Handle]:
    """Make a matrix of XGBoost's own, which has a copy of the features."""
    matrix = Handle()
    library().XGDMatrixCreateFromDense(_interface(features), MATRIX_OPTIONS, byref(matrix))
    try:
        if base_margin is not None:
            _set_margin(matrix, base_margin)
        yield matrix
    finally:
        library().XGDMatrixFree(matrix)


def _set_margin(matrix: Handle, base_margin: Floats) -> None:
    library().XGDMatrixSetInfoFromInterface(matrix, b"base_margin", _interface(base_margin))


def _options(output: int, rounds: int) -> bytes:
    options = {
        "type": output,
        "training": False,
        "iteration_begin": 0,
        "iteration_end": rounds,
        "missing": np.nan,
        "strict_shape": False,
        "cache_id": 0,
    }
    return json.dumps(options).encode()


def _interface(array: NDArray[Any]) -> bytes:
    """Describe an array, which must live until it has been read."""
    known = array.__array_interface__
    strides, shape = known["strides"], known["shape"]
    return b'{"data":[%d,true],"typestr":"%b","shape":%b,"strides":%b,"version":3}' % (
        known["data"][0],
        known["typestr"].encode(),
        _listed(shape),
        _listed(strides) if strides else b"null",
    )


def _listed(numbers: Sequence[int]) -> bytes:
    return b"[%b]" % b",".join([b"%d" % number for number in numbers])


def _copied(values: Any, shape: Sequence[int]) -> Floats:
    """Copy what XGBoost predicted: its memory is used again when the same thread predicts the next time."""
    copy = np.empty(shape, dtype=np.float32)
    if copy.size:
        memmove(byref(c_char.from_buffer(copy.data)), values, copy.nbytes)
    return copy


def _free_with(owner: Booster | _Proxy, free: Any) -> None:
    """Free a handle with its owner, but not at the end of the process, when threads may still use it."""
    weakref.finalize(owner, free, owner.handle).atexit = False
