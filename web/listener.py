"""Accepts connections, as many in each process of web.

The kernel wakes all processes for a new connection, and the first of them gets it. While a client or a load
balancer opens many, that may be the same process each time, and another processor has nothing to do.
"""

from mmap import mmap
from typing import Any

import gevent
from gunicorn.workers.ggevent import PyWSGIServer

PAUSE_SECONDS = 0.001
"""How long a process leaves a new connection to those that hold fewer: they may be busy, or stand still."""
_NO_PROCESS = -1


class Shares:
    """How many connections each process holds, in memory that all of them share."""

    def __init__(self, processes: int) -> None:
        """There is room for twice as many: gunicorn may start others before it ends the present ones.

        If there are still more, some count together.
        """
        self._held = memoryview(mmap(-1, 2 * processes * 8)).cast("q")
        for number in range(len(self._held)):
            self._held[number] = _NO_PROCESS

    def enter(self) -> "Share":
        """Call it before the process is forked."""
        for number, held in enumerate(self._held):
            if held == _NO_PROCESS:
                self._held[number] = 0
                return Share(self._held, number)
        return Share(self._held, 0)


class Share:
    """How many connections one process holds."""

    def __init__(self, held: memoryview, number: int) -> None:
        self._held = held
        self._number = number

    def add(self, connections: int) -> None:
        self._held[self._number] += connections

    def leave(self) -> None:
        """Call it when the process has ended."""
        self._held[self._number] = _NO_PROCESS

    @property
    def is_larger_than_another(self) -> bool:
        mine = self._held[self._number]
        return any(0 <= held < mine for held in self._held)


class Listener(PyWSGIServer):  # type: ignore[misc]
    def __init__(self, share: Share, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._share = share
        self._has_paused = False

    def do_read(self) -> Any:
        if self._share.is_larger_than_another and not self._has_paused:
            self._has_paused = True
            self.stop_accepting()
            gevent.spawn_later(PAUSE_SECONDS, self._go_on)
            return None
        self._has_paused = False
        return super().do_read()

    def do_handle(self, *accepted: Any) -> None:
        self._share.add(1)
        super().do_handle(*accepted)

    def do_close(self, *accepted: Any) -> None:
        self._share.add(-1)
        super().do_close(*accepted)

    def close(self) -> None:
        """Accepts the connections that are waiting already, which the kernel would reset."""
        while (accepted := super().do_read()) is not None:
            self.do_handle(*accepted)
        super().close()

    def _go_on(self) -> None:
        if self.started:
            self.start_accepting()
