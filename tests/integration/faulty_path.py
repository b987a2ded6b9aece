"""What lies between a client and web: the first connections break as a test wants, and all others pass."""

import socket
import threading
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from typing import Literal, TypeAlias

Fault: TypeAlias = Literal["refused", "lost", "half", "passed"]
"""Closed before anything is sent on; the answer never arrives; half of its first piece arrives; nothing."""

PIECE = 65_536


class FaultyPath:
    """`with FaultyPath(port, ["lost"]) as path`: `path.address` leads to web at this port."""

    def __init__(self, port: int, faults: Sequence[Fault]) -> None:
        self._port = port
        self._faults = list(faults)
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.connections = 0

    def __enter__(self) -> "FaultyPath":
        threading.Thread(target=self._accept, daemon=True).start()
        return self

    def __exit__(self, *_: object) -> None:
        with suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                caller, _ = self._listener.accept()
                self.connections += 1
                fault: Fault = self._faults.pop(0) if self._faults else "passed"
                threading.Thread(target=self._pass_on, args=(caller, fault), daemon=True).start()

    def _pass_on(self, caller: socket.socket, fault: Fault) -> None:
        with _cut(caller):
            if fault == "refused":
                return
            with _cut(socket.create_connection(("127.0.0.1", self._port))) as web:
                threading.Thread(target=_copy, args=(caller, web), daemon=True).start()
                if fault == "passed":
                    _copy(web, caller)
                else:
                    answer = web.recv(PIECE)
                    caller.sendall(answer[: len(answer) // 2] if fault == "half" else b"")


@contextmanager
def _cut(end: socket.socket) -> Iterator[socket.socket]:
    """Closes it at last, also for the thread that reads from it."""
    try:
        yield end
    finally:
        with suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)
        end.close()


def _copy(source: socket.socket, destination: socket.socket) -> None:
    with suppress(OSError):
        while data := source.recv(PIECE):
            destination.sendall(data)
        destination.shutdown(socket.SHUT_WR)
