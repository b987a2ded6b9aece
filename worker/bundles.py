"""The bundles that a child has loaded."""

from collections import OrderedDict

from model.bundle import Bundle
from model.catalog import Catalog
from model.errors import BundleError

KEPT = 4


class Bundles:
    """Loads versions as they are asked for, and keeps those asked for last."""

    def __init__(self, catalog: Catalog) -> None:
        self._catalog = catalog
        self._loaded: OrderedDict[str, Bundle] = OrderedDict()

    def get(self, ref: str, sha256: str) -> Bundle:
        """The very bundle that the job was accepted for.

        Raises UnknownModel or BundleError, in one line, if it cannot be had.
        """
        bundle = self._loaded.get(sha256)
        if bundle is None:
            manifest = self._catalog.find(ref)
            if manifest.sha256 != sha256:
                raise BundleError(f"{ref} is another bundle here than where the job was accepted")
            bundle = Bundle.load(manifest)
            self._loaded[sha256] = bundle
            if len(self._loaded) > KEPT:
                self._loaded.popitem(last=False)
        self._loaded.move_to_end(sha256)
        return bundle

    def check_default(self) -> str:
        """Loads the newest version of the default model; returns its ref."""
        manifest = self._catalog.find()
        self.get(manifest.ref, manifest.sha256)
        return manifest.ref
