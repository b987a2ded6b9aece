"""What this process and those that it starts write is readable by its owner alone."""

import os
from contextlib import suppress
from pathlib import Path

_OWNER_ALONE = 0o700


def write_privately() -> None:
    """From now on nobody else may read what this process creates."""
    os.umask(0o777 - _OWNER_ALONE)


def make_private(folder: Path) -> None:
    """Creates the folder, or takes it from all others if it exists and is ours."""
    write_privately()
    folder.mkdir(parents=True, exist_ok=True)
    with suppress(PermissionError):
        folder.chmod(_OWNER_ALONE)
