"""Dead letters: jobs that the service gave up, whatever their callers sent, and webhooks and events."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple, TypeAlias

from redis import Redis

from jobs import ids
from jobs.batches.record import BatchRecord
from jobs.errors import UnknownLetter, UnknownRecord
from jobs.predictions.record import PredictionRecord
from jobs.queues.script_calls import Script
from jobs.webhooks.delivery import PREFIX, Delivery
from jobs.webhooks.outbox import WebhookOutbox

LETTERS_AT_ONCE = 100

Given: TypeAlias = PredictionRecord | BatchRecord | Delivery
ReadJob: TypeAlias = Callable[
    [Sequence[str]], Sequence[PredictionRecord | BatchRecord | UnknownRecord | None]
]
Retry: TypeAlias = Callable[[str], str]
"""Makes a new job of the job with this id, once; returns its id."""


class JobActions(NamedTuple):
    read: ReadJob
    retry: Retry


class DeadLetter(NamedTuple):
    """`time` is when it was given up, in milliseconds since 1970, UTC."""

    id: str
    time: int
    given: Given


class DeadLetters:
    """Every method raises StoreUnavailable if Redis does not answer in time.

    `jobs` has the actions for the ids that begin with each prefix.
    """

    def __init__(self, redis: Redis, outbox: WebhookOutbox, jobs: dict[str, JobActions]) -> None:
        self._list = Script(redis, "dead/list")
        self._find = Script(redis, "dead/find")
        self._drop = Script(redis, "dead/drop")
        self._outbox = outbox
        self._jobs = jobs

    def all(self) -> Iterator[DeadLetter]:
        """The newest first. Those whose job has expired are taken off the list."""
        first, last = 0, LETTERS_AT_ONCE - 1
        while found := self._list(first=first, last=last):
            for letter_id, time in zip(found[::2], found[1::2], strict=True):
                if letter := self._read(letter_id.decode(), time):
                    yield letter
                    first += 1
                else:
                    self._drop(id=letter_id)
            last = first + LETTERS_AT_ONCE - 1

    def find(self, letter_id: str) -> DeadLetter:
        """Raises UnknownLetter."""
        time = self._find(id=letter_id)
        if time is None or not (letter := self._read(letter_id, time)):
            raise UnknownLetter(f"{letter_id} is not a dead letter, or no longer one")
        return letter

    def replay(self, letter_id: str) -> str:
        """Tries it again, and takes it off the list. Returns the id of the new job, or of the delivery.

        Raises UnknownLetter, and what refuses a new job. If its answer is lost, the same job is found again.
        """
        letter = self.find(letter_id)
        if isinstance(letter.given, Delivery):
            self._outbox.redeliver(letter.given.name)
            new_id = letter_id
        else:
            new_id = self._actions_of(letter_id).retry(letter_id)
        self._drop(id=letter_id)
        return new_id

    def drop(self, letter_id: str) -> None:
        """Takes it off the list; its job stays until it expires. Raises UnknownLetter."""
        if not self._drop(id=letter_id):
            raise UnknownLetter(f"{letter_id} is not a dead letter, or no longer one")

    def _read(self, letter_id: str, time: bytes) -> DeadLetter | None:
        given: Given | UnknownRecord | None
        if letter_id.startswith(PREFIX):
            given = self._outbox.read(letter_id.removeprefix(PREFIX))
        else:
            [given] = self._actions_of(letter_id).read([letter_id])
        if given is None or isinstance(given, UnknownRecord):
            return None
        return DeadLetter(letter_id, int(float(time)), given)

    def _actions_of(self, job_id: str) -> JobActions:
        return self._jobs[ids.BATCH if job_id.startswith(ids.BATCH) else ids.PREDICTION]
