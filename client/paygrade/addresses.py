"""Addresses in S3, which the service reads and writes itself."""

import re
from pathlib import Path
from typing import Any

from paygrade.errors import InvalidInput

_SEVERAL = re.compile(r"[*?\[]|(/|\.manifest|\.json)$")
"""A prefix, a glob or a manifest."""


def is_address(file: Any) -> bool:
    return isinstance(file, str) and file.startswith("s3://")


def names_several(file: Any) -> bool:
    """Whether it is the address of a prefix, a glob or a manifest, so that its batch has several files."""
    return is_address(file) and bool(_SEVERAL.search(file))


def path_below(folder: Path, name: str) -> Path:
    """The file of this name in the folder. Raises InvalidInput for a name that leaves it."""
    if not name or name.startswith("/") or ".." in name.split("/"):
        raise InvalidInput(f"a file of the batch is called {name!a}, which is no name within a folder")
    return folder / name
