"""Many callers who wait: each posts a row and waits for it, then asks again as long as it is unfinished.

Run as a process of its own: `python -m benchmarks.callers PORT CALLERS`. It writes `waiting` as soon as all
of them wait. It ends when its input ends, and then writes as JSON the lowest number that waited at any time.
"""

import asyncio
import json
import resource
import sys
from collections import Counter
from dataclasses import dataclass, field

from benchmarks.load import POSTED_ROW

# Waits of different lengths, so that they do not all end at the same moment.
SHORTEST_WAIT, WAITS = 15, 11
CONNECTS_PER_SECOND = 500


@dataclass
class Crowd:
    """The callers, and how many of them wait now."""

    port: int
    size: int
    waiting: int = 0
    fewest: int = 0
    faults: Counter[str] = field(default_factory=Counter)

    async def call(self, number: int) -> None:
        """One caller, until canceled."""
        wait = SHORTEST_WAIT + number % WAITS
        await asyncio.sleep(number / CONNECTS_PER_SECOND)
        try:
            reader, writer = await asyncio.open_connection("127.0.0.1", self.port)
            body = POSTED_ROW.body([1 + number / 1000])
            head = f"POST {POSTED_ROW.path} HTTP/1.1\r\nHost: 127.0.0.1\r\nPrefer: wait={wait}\r\n"
            head += f"Content-Type: application/json\r\nContent-Length: {len(body)}\r\n\r\n"
            job = await self._wait(reader, writer, head + body, 202, wait)
            again = f"GET {POSTED_ROW.path}/{job}?wait={wait} HTTP/1.1\r\nHost: 127.0.0.1\r\n\r\n"
            while True:
                await self._wait(reader, writer, again, 200, wait)
        except (OSError, EOFError, ValueError, KeyError) as error:
            self.faults[f"{type(error).__name__}: {error}"] += 1

    async def _wait(
        self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, request: str, status: int, wait: int
    ) -> str:
        """Send, wait for the answer, and give the id in it."""
        loop = asyncio.get_running_loop()
        sent = loop.time()
        writer.write(request.encode())
        self.waiting += 1
        try:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
        finally:
            self.waiting -= 1
        length = next(line for line in head.split("\r\n") if line.startswith("content-length:"))
        job: dict[str, str] = json.loads(await reader.readexactly(int(length.split(":")[1])))
        if head.split()[1] != str(status):
            raise ValueError(f"{head.split()[1]}, not {status}")
        if loop.time() - sent < wait / 2:
            raise ValueError("sent away before the wait was over")
        return job["id"]

    async def watch(self) -> None:
        """Report when all wait; from then on, note the lowest number that waits."""
        while self.waiting < self.size and not self.faults:
            await asyncio.sleep(0.05)
        print("waiting" if not self.faults else dict(self.faults), flush=True)
        self.fewest = self.waiting
        while True:
            self.fewest = min(self.fewest, self.waiting)
            await asyncio.sleep(0.05)


async def main(port: int, size: int) -> None:
    """Wait until the input ends."""
    crowd = Crowd(port, size)
    tasks = [asyncio.create_task(crowd.call(number)) for number in range(size)]
    tasks.append(asyncio.create_task(crowd.watch()))
    await asyncio.to_thread(sys.stdin.read)
    print(json.dumps({"fewest": crowd.fewest, "faults": dict(crowd.faults)}), flush=True)
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)


if __name__ == "__main__":
    hard = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (min(hard, 65_536), hard))
    asyncio.run(main(int(sys.argv[1]), int(sys.argv[2])))
