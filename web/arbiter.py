"""Ends processes of web that hang, and starts others in their place."""

import time

from gunicorn.arbiter import Arbiter

_PAUSE_SECONDS = 5
"""The arbiter looks once a second: if it could not for so long, the machine or the container stood still."""


class PatientArbiter(Arbiter):  # type: ignore[misc]
    """Does not end processes that paused while the arbiter did: each has its whole time again."""

    _looked = 0.0
    _patient_until = 0.0

    def murder_workers(self) -> None:
        now = time.monotonic()
        if now - self._looked > _PAUSE_SECONDS:
            self._patient_until = now + self.timeout
        self._looked = now
        if now >= self._patient_until:
            super().murder_workers()
