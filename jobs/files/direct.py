"""Files that callers put into the file store, and get from it, themselves: by addresses that are signed."""

from abc import ABC, abstractmethod
from collections.abc import Mapping
from typing import NamedTuple


class FilePart(NamedTuple):
    """Bytes of a file that are put together; `number` counts from 1."""

    number: int
    offset: int
    size: int


class SignedAddresses(NamedTuple):
    """The addresses of parts, by their numbers; `expires_at` is in seconds since 1970."""

    urls: Mapping[int, str]
    expires_at: float


class DirectFiles(ABC):
    """The part of a file store that callers reach without web. Every method raises FilesUnavailable.

    `handle` is what the store calls a file of which parts are still to come; it does not exist until
    `finish`, and never changes after that.
    """

    @property
    @abstractmethod
    def origin(self) -> str:
        """The origin of the addresses: scheme, host and port."""

    @abstractmethod
    def begin(self, name: str, checked: bool) -> str:
        """Returns the handle. A file that is `checked` will be finished with its CRC-32."""

    @abstractmethod
    def arrived(self, name: str, handle: str) -> Mapping[int, int]:
        """The sizes of the parts that have arrived, by number. Raises FileMissing if the handle is gone."""

    @abstractmethod
    def sign(self, name: str, handle: str, parts: list[FilePart]) -> SignedAddresses:
        """Where to put each part, with exactly its size."""

    @abstractmethod
    def finish(self, name: str, handle: str, crc32: int | None) -> None:
        """Makes a file of the parts that have arrived. Raises FilesDiffer if it has another CRC-32."""

    @abstractmethod
    def abort(self, name: str, handle: str) -> None:
        """Drops the parts that have arrived, if the file is not finished."""

    @abstractmethod
    def address_of(self, name: str, media_type: str, file_name: str) -> str:
        """Where to get a file for the next minutes, as this media type and under this name."""
