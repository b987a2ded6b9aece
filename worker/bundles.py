"""The bundles that a child has loaded, and what each of them gives for rows, as JSON."""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable, Sequence
from concurrent.futures import Executor
from typing import Any, TypeAlias

import numpy as np
import orjson
from numpy.typing import NDArray

from jobs.predictions.consumer import Claim, PredictionConsumer
from jobs.predictions.record import Row
from model.bundle import Bundle
from model.description.catalog import Catalog
from model.description.errors import BundleError, ModelError, UnknownModel
from model.description.manifest import Manifest
from model.outputs import Explanation, Outputs

log = logging.getLogger(__name__)

KEPT = 4
REFUSED_SECONDS = 3

Score: TypeAlias = Callable[[Sequence[Row]], list[bytes]]
"""Returns the output of each row, from one call of the model; raises whatever the model raises."""

NOT_FINITE = orjson.dumps({"error": {"type": "not_finite", "detail": "the score is not a finite number"}})


class Bundles:
    """Loads versions when they are needed, and keeps the last ones used."""

    def __init__(self, catalog: Catalog, clock: Callable[[], float] = time.monotonic) -> None:
        self._catalog = catalog
        self._clock = clock
        self._loaded: OrderedDict[str, Bundle] = OrderedDict()
        self._lock = threading.Lock()
        self._refused: dict[str, tuple[float, ModelError]] = {}

    def get(self, ref: str, sha256: str) -> Bundle:
        """The bundle that the job was accepted for, with exactly this sha256.

        Raises UnknownModel or BundleError if it cannot be loaded. For some seconds after that it raises the
        same without another try, so that jobs of other bundles are not held up.
        """
        with self._lock:
            bundle = self._loaded.get(sha256) or self._load(ref, sha256)
            self._loaded.move_to_end(sha256)
            return bundle

    def _load(self, ref: str, sha256: str) -> Bundle:
        if (refused := self._refused.get(sha256)) and self._clock() < refused[0]:
            raise refused[1]
        try:
            bundle = Bundle.load(self._catalog.fetch(self._find(ref, sha256)))
        except ModelError as error:
            self._refused[sha256] = self._clock() + REFUSED_SECONDS, error
            raise
        self._loaded[sha256] = bundle
        if len(self._loaded) > KEPT:
            self._loaded.popitem(last=False)
        return bundle

    def _find(self, ref: str, sha256: str) -> Manifest:
        try:
            manifest = self._catalog.find_accepted(ref)
        except UnknownModel:
            # Web may have seen a new version before this process did.
            self._catalog.refresh_now()
            manifest = self._catalog.find_accepted(ref)
        if manifest.sha256 != sha256:
            raise BundleError(
                f"{ref} here has the sha256 {manifest.sha256}, but the job was accepted for {sha256}; "
                "give web and workers the same bundles"
            )
        return manifest

    def check_default(self) -> str:
        """Loads the newest version of the default model. Returns its ref."""
        manifest = self._catalog.find()
        self.get(manifest.ref, manifest.sha256)
        return manifest.ref


def bundle_or_release(
    claims: Sequence[Claim], bundles: Bundles, consumer: PredictionConsumer
) -> Bundle | None:
    """The bundle that all claims were accepted for; releases them and returns None if it cannot be loaded."""
    model = claims[0].model
    try:
        return bundles.get(model, claims[0].sha256)
    except ModelError as error:
        log.error("model_unavailable", extra={"model": model, "error": str(error)})
        reason = {"type": "model_unavailable", "detail": f"no worker could load {model}"}
        consumer.release(claims, orjson.dumps(reason))
        return None


def scorer(bundle: Bundle) -> Score:
    """Makes the function that scores rows with a bundle."""

    def score(rows: Sequence[Row]) -> list[bytes]:
        matrix = bundle.encode(rows)
        return output_rows(bundle.outputs(matrix), bundle.warnings(matrix))

    return score


def explaining_scorer(bundle: Bundle, executor: Executor) -> Score:
    """Makes the function that also explains; the thread of `executor` computes the contributions."""
    names = [orjson.dumps(name) for name in bundle.manifest.schema.names]

    def score(rows: Sequence[Row]) -> list[bytes]:
        matrix = bundle.encode(rows)
        explained = explanation_members(names, executor.submit(bundle.explain, matrix).result())
        return output_rows(bundle.outputs(matrix), bundle.warnings(matrix), explained)

    return score


def output_rows(
    outputs: Outputs, warnings: dict[int, list[str]], explained: Iterable[bytes] | None = None
) -> list[bytes]:
    """The output of each row, as the JSON that callers see; `explained` has further members."""
    members = list(_members(outputs))
    if explained is not None:
        members.append(list(explained))
    texts = [b",".join(parts) for parts in zip(*members, strict=True)]
    for row, found in warnings.items():
        texts[row] += b',"warnings":' + orjson.dumps(found)
    rows = [b"{%b}" % text for text in texts]
    for row in np.flatnonzero(~_finite(outputs)).tolist():
        rows[row] = NOT_FINITE
    return rows


def explanation_members(names: Sequence[bytes], explanation: Explanation) -> Iterable[bytes]:
    """The members `contributions` and `base` of each row; `names` are JSON."""
    for values, base in zip(_numbers(explanation.contributions), _numbers(explanation.base), strict=True):
        yield b'"contributions":%b,"base":%b' % (_object(names, values), base)


def _members(outputs: Outputs) -> Iterable[list[bytes]]:
    yield _per_target(b"prediction", outputs.prediction, outputs.targets)
    if outputs.labels is not None:
        yield [b'"label":' + orjson.dumps(label) for label in outputs.labels]
    if outputs.probability is not None:
        yield _per_target(b"probability", outputs.probability, outputs.targets)
    if outputs.probabilities is not None:
        classes = [orjson.dumps(name) for name in outputs.classes]
        yield [b'"probabilities":' + _object(classes, values) for values in _numbers(outputs.probabilities)]
    if outputs.interval is not None:
        yield [b'"interval":[%b]' % b",".join(values) for values in _numbers(outputs.interval)]


def _per_target(member: bytes, values: NDArray[Any], targets: Sequence[str]) -> list[bytes]:
    texts = _numbers(values)
    if targets:
        names = [orjson.dumps(name) for name in targets]
        texts = [_object(names, row) for row in texts]
    return [b'"%b":%b' % (member, text) for text in texts]


def _numbers(values: NDArray[Any]) -> list[Any]:
    """JSON numbers, nested as the array is; float32 in the shortest form that reads back the same."""
    if not values.size:
        return []
    flat = orjson.dumps(np.ascontiguousarray(values).ravel(), option=orjson.OPT_SERIALIZE_NUMPY)
    texts = flat[1:-1].split(b",")
    if values.ndim == 1:
        return texts
    width = values.shape[1]
    return [texts[at : at + width] for at in range(0, len(texts), width)]


def _object(names: Sequence[bytes], values: Sequence[bytes]) -> bytes:
    return b"{%b}" % b",".join([b"%b:%b" % pair for pair in zip(names, values, strict=True)])


def _finite(outputs: Outputs) -> NDArray[np.bool_]:
    finite = np.ones(len(outputs.prediction), dtype=bool)
    for scores in (outputs.prediction, outputs.probability, outputs.probabilities, outputs.interval):
        if scores is not None:
            finite &= np.isfinite(scores) if scores.ndim == 1 else np.isfinite(scores).all(axis=1)
    return finite
