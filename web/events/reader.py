"""Reads the queue of events: each message becomes one batch, however often it is delivered."""

import logging
from collections.abc import Callable
from functools import partial
from http import HTTPStatus
from urllib.parse import unquote_plus

from gevent.pool import Pool

from jobs.errors import StoreUnavailable
from jobs.metrics import EVENT_MESSAGES
from jobs.supervision import Supervisor
from web.events.marks import EventMarks
from web.events.messages import FileVersion, NotABatch, WantedBatch, read_message
from web.events.posting import PostBatch
from web.events.queue import (
    LONGEST_HOLD_SECONDS,
    VISIBLE_AGAIN_SECONDS,
    EventQueue,
    EventsUnavailable,
    FileForbidden,
    Message,
)
from web.own_api import Refused

FIRST_PAUSE_SECONDS, LONGEST_PAUSE_SECONDS = 1.0, 30.0
"""A pause is twice as long as the one before."""
LONGEST_WAIT_SECONDS = 60
"""Where the service says when it has room, which may be hours away."""
AT_ONCE = 10
"""How many messages a process has at a time: as many as SQS gives at once."""
RELEASED = "released"
"""The outcome of a message that another process is to have."""
_LATER = {HTTPStatus.CONFLICT, HTTPStatus.TOO_MANY_REQUESTS, HTTPStatus.SERVICE_UNAVAILABLE}

log = logging.getLogger(__name__)


class Later(Exception):
    """The service does not take this batch now; it may in so many seconds."""

    def __init__(self, seconds: int = 0) -> None:
        super().__init__()
        self.seconds = seconds


class EventReader:
    """`accepting` says whether the service would take a batch now."""

    def __init__(
        self,
        queue: EventQueue,
        post: PostBatch,
        marks: EventMarks,
        accepting: Callable[[], bool],
        supervisor: Supervisor,
        sleep: Callable[[float], object],
    ) -> None:
        self._queue = queue
        self._post = post
        self._marks = marks
        self._accepting = accepting
        self._supervisor = supervisor
        self._sleep = sleep
        self._pool = Pool(AT_ONCE)
        self._stopped = False

    def stop(self) -> None:
        """Receives nothing more. Messages that wait for the service are for others."""
        self._stopped = True

    def run(self) -> None:
        """Raises EventsUnavailable."""
        while not self._stopped:
            self._pool.wait_available()
            if self._accepting():
                for message in self._queue.receive(self._pool.free_count()):
                    self._pool.spawn(self.handle, message)
            else:
                self._sleep(FIRST_PAUSE_SECONDS)

    def handle(self, message: Message) -> None:
        """Nobody else gets the message meanwhile. After an error that nobody foresaw, SQS gives it again."""
        try:
            outcome = self._settle_kept(message)
            if outcome == RELEASED:
                self._queue.release(message)
            self._supervisor.metrics.count(EVENT_MESSAGES, outcome)
        except Exception as error:
            self._supervisor.report("event", error)

    def _settle_kept(self, message: Message) -> str:
        keeping = self._supervisor.start("message kept", partial(self._keep, message))
        try:
            return self._settle(message)
        finally:
            keeping.kill()

    def _keep(self, message: Message) -> None:
        """Raises EventsUnavailable."""
        for _ in range(0, LONGEST_HOLD_SECONDS, VISIBLE_AGAIN_SECONDS // 3):
            self._sleep(VISIBLE_AGAIN_SECONDS / 3)
            self._queue.keep(message)

    def _settle(self, message: Message) -> str:
        """What became of it, for the metric."""
        pause, outcome = FIRST_PAUSE_SECONDS, ""
        while True:
            try:
                outcome = outcome or self._try(message)
                self._queue.delete(message)
            except NotABatch as reason:
                return self._give_up(message, str(reason))
            except (Later, StoreUnavailable, EventsUnavailable) as error:
                if self._stopped:
                    return RELEASED
                self._sleep(max(pause, min(getattr(error, "seconds", 0), LONGEST_WAIT_SECONDS)))
                pause = min(2 * pause, LONGEST_PAUSE_SECONDS)
            else:
                return outcome

    def _try(self, message: Message) -> str:
        """Raises NotABatch, Later, StoreUnavailable and EventsUnavailable."""
        wanted = read_message(message.body)
        if wanted is None:
            return "ignored"
        if job_id := self._marks.job_of(wanted.mark):
            log.info("event_repeated", extra={"message_id": message.id, "job_id": job_id})
            return "repeated"
        if isinstance(wanted, FileVersion):
            wanted = self._batch_of(wanted)
        if wanted is None:
            log.info("event_outdated", extra={"message_id": message.id})
            return "outdated"
        job_id = self._posted(wanted, message.id)
        self._marks.add(wanted.mark, job_id)
        log.info("event_accepted", extra={"message_id": message.id, "job_id": job_id})
        return "accepted"

    def _batch_of(self, file: FileVersion) -> WantedBatch | None:
        """None if this version is not there any more: a newer one has its own message.

        Keys come as they are, or encoded as in the other notifications of S3.
        """
        try:
            for key in dict.fromkeys((file.key, unquote_plus(file.key))):
                if self._queue.etag(file.bucket, key) == file.etag:
                    return file.batch(key)
        except FileForbidden as error:
            raise NotABatch(str(error)) from None
        return None

    def _posted(self, wanted: WantedBatch, message_id: str) -> str:
        try:
            return self._post(wanted.body, wanted.mark, message_id)
        except Refused as refused:
            if refused.status in _LATER:
                raise Later(refused.retry_after) from None
            if refused.status < HTTPStatus.INTERNAL_SERVER_ERROR:
                raise NotABatch(_sentence(refused)) from None
            raise

    def _give_up(self, message: Message, reason: str) -> str:
        """The log has no reason that could quote a file; that is with the message."""
        self._queue.give_up(message, reason)
        log.warning("event_given_up", extra={"message_id": message.id})
        return "given_up"


def _sentence(refused: Refused) -> str:
    faults = "; ".join(f"{fault['pointer']} {fault['detail']}".strip() for fault in refused.errors)
    return f"{refused.status}: {refused.detail}" + (f" ({faults})" if faults else "")
