"""The bundles that a child has loaded."""

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Sequence

import orjson

from jobs.predictions.consumer import Claim, PredictionConsumer
from model.bundle import Bundle
from model.description.catalog import Catalog
from model.description.errors import BundleError, ModelError, UnknownModel
from model.description.manifest import Manifest

log = logging.getLogger(__name__)

KEPT = 4
REFUSED_SECONDS = 3


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
            return self._get(ref, sha256)

    def _get(self, ref: str, sha256: str) -> Bundle:
        bundle = self._loaded.get(sha256)
        if bundle is None:
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
        self._loaded.move_to_end(sha256)
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


def bundle_of(claims: Sequence[Claim], bundles: Bundles, consumer: PredictionConsumer) -> Bundle | None:
    """The bundle that all claims were accepted for; releases them and returns None if it cannot be loaded."""
    model = claims[0].model
    try:
        return bundles.get(model, claims[0].sha256)
    except ModelError as error:
        log.error("model_unavailable", extra={"model": model, "error": str(error)})
        reason = {"type": "model_unavailable", "detail": f"no worker could load {model}"}
        consumer.release(claims, orjson.dumps(reason))
        return None
