"""When a request is sent again: after which errors, how soon, and until when."""

from collections.abc import Callable

from paygrade.errors import Conflict, ConnectionCut, PaygradeError, ServiceBusy, ServiceRefused, Unreachable

PASSING = (Unreachable, ConnectionCut, ServiceBusy)
"""Errors that may be gone when the same request is sent again."""
FIRST_PAUSE, LONGEST_PAUSE = 0.5, 8.0
"""Each pause is twice as long as the one before, unless the service names one."""
SPREAD = 0.1
"""The share of a pause that chance adds, so that callers do not come back together; at least FIRST_PAUSE."""


class Patience:
    """The pauses between the attempts of one request, which end `seconds` after it is made.

    A service that cannot be connected to is tried again for `unreachable` seconds only: its address may be
    wrong, and nothing was accepted. A request that is `keyed` has an Idempotency-Key.
    """

    def __init__(
        self,
        now: Callable[[], float],
        chance: Callable[[], float],
        seconds: float,
        unreachable: float,
        keyed: bool = False,
    ) -> None:
        self._now = now
        self._chance = chance
        self._seconds = seconds
        self._unreachable = min(seconds, unreachable)
        self._keyed = keyed
        self._lost = False
        self.begin()

    def begin(self) -> None:
        """Starts the time anew: call it when something has arrived, and more is to come."""
        self._start = self._now()
        self._next = FIRST_PAUSE

    @property
    def left(self) -> float:
        return max(self._start + self._seconds - self._now(), 0)

    def pause_after(self, error: PaygradeError) -> float:
        """How long to pause. Raises the error if the same request cannot help, or not in time."""
        if isinstance(error, ServiceRefused):
            error.after_lost_answer = self._lost
        if not (isinstance(error, PASSING) or self._still_arriving(error)):
            raise error
        self._lost = self._lost or _may_have_been_carried_out(error)
        pause = self._pause(error)
        seconds = self._unreachable if isinstance(error, Unreachable) else self._seconds
        spare = self._start + seconds - self._now() - pause
        if spare < 0:
            raise error
        return pause + self._chance() * min(max(SPREAD * pause, FIRST_PAUSE), spare)

    def _still_arriving(self, error: PaygradeError) -> bool:
        """The service still reads the request whose answer was lost."""
        return isinstance(error, Conflict) and self._lost and self._keyed

    def _pause(self, error: PaygradeError) -> float:
        named = error.retry_after if isinstance(error, ServiceRefused) else None
        if named is not None:
            return named
        pause, self._next = self._next, min(2 * self._next, LONGEST_PAUSE)
        return pause


def _may_have_been_carried_out(error: PaygradeError) -> bool:
    """429 says that nothing was; 503 and its kin say that the service does not know."""
    return isinstance(error, ConnectionCut) or (isinstance(error, ServiceBusy) and error.status != 429)
