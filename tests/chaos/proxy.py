"""What lies between the store and those who use it: a network that can be broken."""

import asyncio
import random
import threading
from collections.abc import Coroutine
from typing import Any

from tests.integration.service import free_port

CHANCE = 0.05
"""How often an answer is cut or lost, while answers are."""
BROKEN_ANSWERS = {"half_answers": 2, "lost_answers": 1_000_000}
"""What an answer's length is divided by."""


class Proxy:
    """Listens on loopback and passes on what it gets; `trouble` is set and unset from any thread."""

    def __init__(self, target: int, seed: int) -> None:
        self.port = free_port()
        self.trouble = ""
        self.delay = 0.0
        self._target = target
        self._chance = random.Random(seed)  # noqa: S311 (no secret)
        self._connections: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, daemon=True)
        self._thread.start()
        self._server = self._call(self._listen())

    def close(self) -> None:
        self.cut()
        self._call(self._stop())
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()

    def cut(self) -> None:
        """Ends all connections that there are."""
        self._loop.call_soon_threadsafe(self._abort_all)

    def _call(self, coroutine: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(coroutine, self._loop).result(10)

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._connect, "127.0.0.1", self.port)

    async def _stop(self) -> None:
        self._server.close()
        tasks = asyncio.all_tasks() - {asyncio.current_task()}
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    def _abort_all(self) -> None:
        for writer in self._connections:
            writer.transport.abort()

    async def _connect(self, from_caller: asyncio.StreamReader, to_caller: asyncio.StreamWriter) -> None:
        ends = [to_caller]
        self._connections.add(to_caller)
        try:
            if self.trouble == "cut":
                return
            from_store, to_store = await asyncio.open_connection("127.0.0.1", self._target)
            ends.append(to_store)
            await asyncio.gather(
                self._pass_on(from_caller, to_store, answers=False),
                self._pass_on(from_store, to_caller, answers=True),
            )
        except (OSError, asyncio.CancelledError):
            pass
        finally:
            self._connections.discard(to_caller)
            for end in ends:
                end.close()

    async def _pass_on(
        self, source: asyncio.StreamReader, target: asyncio.StreamWriter, answers: bool
    ) -> None:
        while data := await source.read(65536):
            if self.trouble == "delay":
                await asyncio.sleep(self.delay)
            while self.trouble == "silence":
                await asyncio.sleep(0.05)
            kept = self._kept(data) if answers else len(data)
            target.write(data[:kept])
            await target.drain()
            if kept < len(data):
                break
        raise ConnectionError  # the other direction ends too

    def _kept(self, answer: bytes) -> int:
        """How many bytes of it arrive."""
        if self.trouble not in BROKEN_ANSWERS or self._chance.random() > CHANCE:
            return len(answer)
        return len(answer) // BROKEN_ANSWERS[self.trouble]
