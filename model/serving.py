"""Which bundles `make run MODEL=…` serves, and which model is the default."""

from pathlib import Path
from typing import NamedTuple

from model.description.catalog import Catalog
from model.description.errors import UnknownModel
from model.description.files import DESCRIPTION_FILE
from model.description.manifest import Manifest
from model.publish import publish_copy
from model.registry.directory import DirectoryRegistry
from model.registry.open import S3


class ServedModel(NamedTuple):
    """Where the bundles are, which model is the default, and its version now."""

    bundles: str
    default: str
    manifest: Manifest


def choose_model(
    bundles: str, default: str, copies: Path, model: str = "", only: bool = False
) -> ServedModel:
    """Find `model`: a bundle, a folder with the versions of a model, a folder of bundles, or a name.

    Without it the default model is served; `only` allows another one, if there is one model only. A bundle is
    copied into a registry of its own in `copies`. Raises BundleError, RegistryUnavailable or UnknownModel.
    """
    folder = Path(model)
    if not model:
        return _served(bundles, default, only)
    if model.startswith(S3):
        return _served(model, default, only=True)
    if not folder.is_dir():
        return _served(bundles, model)
    if (folder / DESCRIPTION_FILE).is_file():
        root = copies / Manifest.read(folder).sha256
        return _served(str(root), publish_copy(folder, DirectoryRegistry(root, create=True)).ref)
    if any(folder.glob(f"*/{DESCRIPTION_FILE}")):
        folder = folder.resolve()
        return _served(str(folder.parent), folder.name)
    return _served(str(folder), default, only=True)


def _served(bundles: str, default: str, only: bool = False) -> ServedModel:
    catalog = Catalog(bundles, default)
    names = catalog.names()
    try:
        return ServedModel(bundles, default, catalog.find())
    except UnknownModel as error:
        if only and len(names) == 1:
            return ServedModel(bundles, names[0], catalog.find(names[0]))
        problems = "".join(f"; {problem}" for problem in list(catalog.problems.values())[:1])
        there = f"it has {', '.join(names)}" if names else f"it has no bundle that can be served{problems}"
        raise UnknownModel(
            f"{bundles}: {error}; {there}; name one: make run MODEL=NAME, or set PAYGRADE_DEFAULT_MODEL"
        ) from None
