"""A queue of events in memory, with the objects in S3 that its messages are about."""

import gevent

from web.events.queue import EventQueue, EventsUnavailable, FileForbidden, Message


def message(body: str, number: int = 1) -> Message:
    return Message(f"message-{number}", body, f"receipt-{number}")


class FakeQueue(EventQueue):
    """`failing` is how many more calls of AWS fail."""

    def __init__(self, *messages: Message) -> None:
        self.waiting = list(messages)
        self.calls: list[tuple[str, str]] = []
        self.given_up: list[str] = []
        self.etags: dict[str, str] = {}
        self.forbidden = False
        self.failing = 0

    def receive(self, most: int) -> list[Message]:
        gevent.sleep(0)
        received, self.waiting = self.waiting[:most], self.waiting[most:]
        return received

    def keep(self, message: Message) -> None:
        self._called("keep", message)

    def release(self, message: Message) -> None:
        self._called("release", message)

    def delete(self, message: Message) -> None:
        self._called("delete", message)

    def give_up(self, message: Message, reason: str) -> None:
        self.given_up.append(reason)
        self._called("give_up", message)

    def etag(self, bucket: str, key: str) -> str | None:
        if self.forbidden:
            raise FileForbidden(f"access to bucket {bucket} is denied")
        return self.etags.get(f"{bucket}/{key}")

    def _called(self, name: str, message: Message) -> None:
        if self.failing:
            self.failing -= 1
            raise EventsUnavailable("ServiceUnavailable")
        self.calls.append((name, message.id))
