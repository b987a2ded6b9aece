"""The files of an MLflow model: on this machine, and only those inside its folder."""

import stat
from pathlib import Path, PurePosixPath
from typing import Protocol

from model.description.errors import BundleError


class ModelFolder(Protocol):
    """Gives the files of a model by their names; `location` is for messages."""

    location: str

    def file(self, name: str, limit: int) -> Path:
        """Return a file of at most `limit` bytes on this machine; raises BundleError."""


class LocalFolder:
    """A folder on this machine. Names and links that lead out of it are refused."""

    def __init__(self, folder: Path, location: str = "") -> None:
        self.location = location or str(folder)
        self._folder = folder

    def file(self, name: str, limit: int) -> Path:
        check_name(name, self.location)
        path = self._folder / name
        try:
            found = path.resolve(strict=True)
            state = found.stat()
        except (OSError, RuntimeError):  # the latter for links in a circle
            raise BundleError(f"{self.location}: lacks the file {name}, so it was not saved whole") from None
        if not found.is_relative_to(self._folder.resolve()):
            raise BundleError(f"{self.location}: {name} leads out of the folder; save the model again")
        if not stat.S_ISREG(state.st_mode):
            raise BundleError(f"{self.location}: {name} is not a file")
        if state.st_size > limit:
            raise BundleError(f"{self.location}: {name} has {state.st_size} bytes; at most {limit} are read")
        return found


def check_name(name: str, location: str) -> None:
    """Refuse the name of a file that is not inside the folder; raises BundleError."""
    path = PurePosixPath(name)
    if not name or "\\" in name or ":" in name or "\0" in name or path.is_absolute() or ".." in path.parts:
        raise BundleError(f"{location}: names a file outside of the folder; save the model again")
