"""Clients of a Redis in memory. Each call lets others run before and after, and may meet a fault."""

from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from hashlib import sha1
from typing import Any, NamedTuple, NoReturn

from fakeredis import FakeServer
from redis.client import Pipeline
from redis.exceptions import ConnectionError as StoreConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as StoreTimeoutError

from jobs.errors import FilesUnavailable
from tests.simulation.scheduler import Actor, Process, Scheduler
from tests.unit.in_memory import MemoryRedis

READS = frozenset({"GET", "XREADGROUP", "SUBSCRIBE"})
"""The calls after which those who wait for a change need not look again."""
SLOWEST_FILE_SECONDS = 0.05
WEB_TIMEOUT, WORKER_TIMEOUT = 2.0, 5.0
"""Seconds after which a client gives up, as jobs/queues/connection.py sets them."""


class Fault(NamedTuple):
    """What befalls the process that makes the call with this number; with `on`, of this script alone."""

    at: int
    kind: str
    seconds: float
    on: str = ""


class Network:
    """The store, and what happens on the way to it."""

    def __init__(self, scheduler: Scheduler, faults: list[Fault]) -> None:
        self.server = FakeServer()
        self.clock_error = 0.0
        """How far the clock of the store is off, in seconds."""
        self.on_kill: Callable[[Process], None] = lambda process: None
        self.calls = 0
        self.script_names: dict[str, str] = {}
        """By the SHA-1 of the text, as Redis knows a script."""
        self._calls_of: Counter[str] = Counter()
        self.trace: list[str] = []
        self.faults_met: list[str] = []
        self.last_fault_at = scheduler.now
        self._scheduler = scheduler
        self._faults = {(fault.on, fault.at): fault for fault in faults}
        self._down_until = 0.0
        self._loses_messages_until = 0.0
        self._files_away_until = 0.0
        self.damage: Callable[[], None] = lambda: None
        self._in_store = False
        self._blocked: list[Actor] = []

    def time(self) -> float:
        return self._scheduler.now + (self.clock_error if self._in_store else 0.0)

    @property
    def loses_messages(self) -> bool:
        return self._scheduler.now < self._loses_messages_until

    def call(self, name: str, perform: Callable[[], Any]) -> Any:
        scheduler = self._scheduler
        if scheduler.process is scheduler.outside:
            return self._perform(name, perform)
        scheduler.step()
        self.calls += 1
        self.trace.append(f"{self.calls} {scheduler.process.name} {name}")
        fault = self._fault_of(name)
        self._refuse_while_down()
        reply = self._meet(fault, name, perform) if fault else self._perform(name, perform)
        scheduler.step()
        return reply

    def call_files(self, name: str, perform: Callable[[], Any]) -> Any:
        """A call of the file store, which takes a while."""
        scheduler = self._scheduler
        if scheduler.process is scheduler.outside:
            return perform()
        scheduler.sleep(scheduler.random.random() * SLOWEST_FILE_SECONDS)
        self.calls += 1
        self.trace.append(f"{self.calls} {scheduler.process.name} files {name}")
        fault = self._faults.get(("", self.calls))
        if scheduler.now < self._files_away_until:
            raise FilesUnavailable("the disk is away")
        try:
            result = self._meet(fault, name, perform) if fault else perform()
        except (StoreConnectionError, StoreTimeoutError):
            raise FilesUnavailable("the answer of the file store is lost") from None
        scheduler.step()
        return result

    def wait_for_change(self, most_seconds: float) -> None:
        """Returns when another call was made, or after so many seconds."""
        actor = self._scheduler.current
        assert actor
        self._blocked.append(actor)
        self._scheduler.sleep(most_seconds)

    def _perform(self, name: str, perform: Callable[[], Any]) -> Any:
        self._in_store = True
        try:
            return perform()
        finally:
            self._in_store = False
            if name not in READS:
                for actor in self._blocked:
                    actor.wake_at = self._scheduler.now
                self._blocked.clear()

    def _fault_of(self, name: str) -> Fault | None:
        """Of this call of the store."""
        found = self._faults.get(("", self.calls))
        for part in name.split(" + "):
            self._calls_of[part] += 1
            found = found or self._faults.get((part, self._calls_of[part]))
        return found

    def name_of(self, command: Any, *args: Any) -> str:
        """The name of a command, or of the script that it calls."""
        match command:
            case "EVALSHA":
                return self.script_names.get(_text(args[0]), "EVALSHA")
            case "EVAL":
                return self.script_names.get(sha1(_text(args[0]).encode()).hexdigest(), "EVAL")  # noqa: S324
        return str(command)

    def _refuse_while_down(self) -> None:
        if self._scheduler.now < self._down_until:
            raise StoreConnectionError("the store is down")

    def _meet(self, fault: Fault, name: str, perform: Callable[[], Any]) -> Any:
        scheduler = self._scheduler
        self.faults_met.append(f"{fault.kind} {scheduler.process.name} at {fault.at}")
        self.last_fault_at = scheduler.now + fault.seconds
        if fault.kind.startswith("kill"):
            if fault.kind == "kill_after":
                self._perform(name, perform)
            self._kill(scheduler.process)
        if fault.kind in ("lose_request", "lose_answer", "late"):
            self._lose(fault, name, perform)
        self._disturb(fault)
        return self._perform(name, perform)

    def _lose(self, fault: Fault, name: str, perform: Callable[[], Any]) -> None:
        """The call is not made, or its answer is lost, or it is made after the caller has given up."""
        scheduler = self._scheduler
        if fault.kind == "lose_request":
            raise StoreConnectionError("reset before the request")
        if fault.kind == "late":
            scheduler.spawn(scheduler.outside, self._perform_late, fault.seconds, name, perform)
        else:
            self._perform(name, perform)
        scheduler.sleep(WEB_TIMEOUT if scheduler.process.name.startswith("web") else WORKER_TIMEOUT)
        raise StoreTimeoutError("no answer")

    def _disturb(self, fault: Fault) -> None:
        """What befalls others than the caller, too."""
        scheduler, until = self._scheduler, self._scheduler.now + fault.seconds
        match fault.kind:
            case "freeze":
                scheduler.process.frozen_until = until
                scheduler.step()
            case "restart_store":
                self._restart(fault.seconds)
            case "clock_back" | "clock_ahead":
                self.clock_error += -3600 if fault.kind == "clock_back" else 3600
                self._restart(1)
            case "lose_messages":
                self._loses_messages_until = until
            case "files_away":
                self._files_away_until = until
            case "damage":
                self.damage()

    def _perform_late(self, seconds: float, name: str, perform: Callable[[], Any]) -> None:
        self._scheduler.sleep(seconds)
        with suppress(RedisError, ValueError):  # the caller has closed its file
            self._perform(name, perform)

    def _kill(self, process: Process) -> None:
        self.on_kill(process)
        self._scheduler.kill(process)

    def _restart(self, seconds: float) -> NoReturn:
        self._down_until = self._scheduler.now + seconds
        self._loses_messages_until = self._down_until
        self.server.script_cache.clear()
        raise StoreConnectionError("the store restarts")


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


class SimulatedRedis(MemoryRedis):
    def __init__(self, network: Network, calls_again: bool = False) -> None:
        super().__init__(server=network.server, protocol=2)
        self.network = network
        self._calls_again = calls_again

    def execute_command(self, *args: Any, **options: Any) -> Any:
        try:
            return self._call(*args, **options)
        except StoreConnectionError:
            if not self._calls_again:
                raise
        return self._call(*args, **options)

    def _call(self, *args: Any, **options: Any) -> Any:
        perform = super().execute_command
        name = self.network.name_of(*args)
        return self.network.call(name, lambda: perform(*args, **options))  # type: ignore[no-untyped-call]

    def client(self) -> "SimulatedRedis":
        return self

    def pipeline(self, transaction: Any = True, shard_hint: Any = None) -> Any:
        return SimulatedPipeline(self.network, self, bool(transaction))

    def xreadgroup(self, *args: Any, block: int | None = None, **options: Any) -> Any:
        scheduler = self.network._scheduler
        end = scheduler.now + (block or 0) / 1000
        while not (found := super().xreadgroup(*args, **options)) and scheduler.now < end:
            self.network.wait_for_change(end - scheduler.now)
        return found

    def pubsub(self, **options: Any) -> Any:
        return Subscription(self.network, super().pubsub(**options))  # type: ignore[no-untyped-call]

    def info(self, section: str | None = None, *args: Any, **options: Any) -> Any:
        return {"used_memory": 0, "maxmemory": 0}


class SimulatedPipeline(Pipeline):
    def __init__(self, network: Network, redis: SimulatedRedis, transaction: bool) -> None:
        super().__init__(redis.connection_pool, redis.response_callbacks, transaction, None)
        self._network = network

    def execute(self, raise_on_error: bool = True) -> Any:
        perform = super().execute
        names = (self._network.name_of(*args) for args, _ in self.command_stack)
        return self._network.call(" + ".join(names) or "pipeline", lambda: perform(raise_on_error))


class Subscription:
    def __init__(self, network: Network, pubsub: Any) -> None:
        self._network = network
        self._pubsub = pubsub

    def __enter__(self) -> "Subscription":
        return self

    def __exit__(self, *_: object) -> None:
        self._pubsub.close()

    def subscribe(self, *channels: str) -> None:
        self._network.call("SUBSCRIBE", lambda: self._pubsub.subscribe(*channels))

    def listen(self) -> Iterator[Any]:
        while True:
            while message := self._pubsub.get_message():
                if not self._network.loses_messages:
                    yield message
            self._network.wait_for_change(1)
