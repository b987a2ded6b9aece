"""The interface of what carries requests."""

from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Protocol, TypeVar

from paygrade.calling.requests import HttpRequest

T = TypeVar("T")


class OpenAnswer(NamedTuple):
    """An answer whose body is still to come."""

    status: int
    headers: Mapping[str, str]
    pieces: AsyncIterator[bytes]


class Transport(Protocol):
    url: str

    def open(self, request: HttpRequest, timeout: float) -> AbstractAsyncContextManager[OpenAnswer]:
        """Sends a request. Raises NoAnswer, also while pieces come."""

    async def beside(self, work: Callable[[], T]) -> T:
        """Does what takes long, and holds up nothing else."""

    async def pause(self, seconds: float) -> None: ...

    async def close(self) -> None: ...
