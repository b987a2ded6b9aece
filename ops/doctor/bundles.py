"""The bundles in the directory PAYGRADE_BUNDLES. Only a worker can tell whether one can be served."""

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

from jobs.settings import Settings
from model.description.errors import LifecycleError
from model.description.files import DESCRIPTION_FILE, MODEL_FILE
from model.registry.directory import DirectoryRegistry
from ops.doctor.finding import Finding, fault, ok, warning


def look(settings: Settings) -> Iterator[Finding]:
    default = settings.default_model
    if "://" in settings.bundles:
        yield warning(
            "bundles", f"{settings.bundles} is not checked from here; doctor --url shows what is served"
        )
        return
    root = Path(settings.bundles)
    try:
        versions = [folder for model in _folders(root) for folder in _folders(model)]
    except OSError as error:
        yield fault("bundles", f"PAYGRADE_BUNDLES is {root}, which cannot be listed: {error.strerror}")
        return
    complete = []
    for folder in versions:
        ref = f"{folder.parent.name}@{folder.name}"
        if missing := [name for name in (DESCRIPTION_FILE, MODEL_FILE) if not (folder / name).is_file()]:
            yield fault("bundles", f"{ref} has no {' and no '.join(missing)} in {folder}")
        else:
            complete.append(ref)
    if default not in {part for ref in complete for part in (ref, ref.partition("@")[0])} | _aliases(root):
        yield fault("bundles", f"the default model {default} is not in {root}; set PAYGRADE_DEFAULT_MODEL")
    if complete:
        yield ok("bundles", f"{', '.join(complete)} in {root}")


def _aliases(root: Path) -> set[str]:
    registry = DirectoryRegistry(root)
    found = set()
    for folder in _folders(root):
        with suppress(LifecycleError):  # a worker tells what is wrong with it
            found |= {f"{folder.name}@{alias}" for alias in registry.read_lifecycle(folder.name).aliases}
    return found


def _folders(root: Path) -> list[Path]:
    """A name that begins with a dot is still being written."""
    return sorted(each for each in root.iterdir() if each.is_dir() and not each.name.startswith("."))
