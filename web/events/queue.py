"""The queue of events as web sees it."""

from abc import ABC, abstractmethod
from typing import NamedTuple

VISIBLE_AGAIN_SECONDS = 60
"""Nobody else gets a message for so long after it was received, or kept."""
LONGEST_HOLD_SECONDS = 11 * 3600
"""SQS keeps a message from others for 12 hours at most."""


class Message(NamedTuple):
    """`receipt` is what SQS needs to know it by, for this time that it was received."""

    id: str
    body: str
    receipt: str


class EventsUnavailable(Exception):
    """AWS does not answer; try again."""


class FileForbidden(Exception):
    """Web may not look at this object."""


class EventQueue(ABC):
    """Every method raises EventsUnavailable."""

    @abstractmethod
    def receive(self, most: int) -> list[Message]:
        """Waits for messages, up to 20 seconds; returns up to `most`, which is 10 at most."""

    @abstractmethod
    def keep(self, message: Message) -> None:
        """Nobody else gets it for VISIBLE_AGAIN_SECONDS from now."""

    @abstractmethod
    def release(self, message: Message) -> None:
        """Somebody else may have it at once."""

    @abstractmethod
    def delete(self, message: Message) -> None: ...

    @abstractmethod
    def give_up(self, message: Message, reason: str) -> None:
        """Moves it to the dead-letter queue; without one, SQS does so after some more deliveries."""

    @abstractmethod
    def etag(self, bucket: str, key: str) -> str | None:
        """Of the object as it is now; None if there is none. Raises FileForbidden."""
