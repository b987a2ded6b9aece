"""Which bundles are in the directory of PAYGRADE_BUNDLES. Whether one can be served, workers tell."""

from collections.abc import Iterator
from pathlib import Path

from jobs.cli.doctor.finding import Finding, fault, ok, warning
from jobs.settings import Settings

FILES = ("bundle.json", "model.ubj")


def look(settings: Settings) -> Iterator[Finding]:
    default = settings.default_model
    if "://" in settings.bundles:
        yield warning(
            "bundles", f"{settings.bundles} is not looked into from here; --url tells what is served"
        )
        return
    root = Path(settings.bundles)
    try:
        versions = [folder for model in _folders(root) for folder in _folders(model)]
    except OSError as error:
        yield fault("bundles", f"PAYGRADE_BUNDLES is {root}, which cannot be listed ({error.strerror})")
        return
    whole = []
    for folder in versions:
        ref = f"{folder.parent.name}@{folder.name}"
        if missing := [name for name in FILES if not (folder / name).is_file()]:
            yield fault("bundles", f"{ref} has no {' and no '.join(missing)}: {folder}")
        else:
            whole.append(ref)
    if default not in {part for ref in whole for part in (ref, ref.partition("@")[0])}:
        yield fault("bundles", f"{default}, the default model, is not in {root}; set PAYGRADE_DEFAULT_MODEL")
    if whole:
        yield ok("bundles", f"{', '.join(whole)} in {root}")


def _folders(root: Path) -> list[Path]:
    """A dot marks what is still being written."""
    return sorted(each for each in root.iterdir() if each.is_dir() and not each.name.startswith("."))
