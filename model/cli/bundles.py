"""Finds the bundle that an argument names."""

from pathlib import Path

from model.description.catalog import Catalog
from model.description.manifest import Manifest


def find_bundle(bundle: str, location: str) -> Manifest:
    """Find a directory, or a bundle of this name at `location`, and bring its files to this machine.

    Raises BundleError, RegistryUnavailable or UnknownModel.
    """
    directory = Path(bundle)
    if directory.is_dir():
        return Manifest.read(directory)
    catalog = Catalog(location, default="")
    return catalog.fetch(catalog.find(bundle))
