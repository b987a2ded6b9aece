"""Clients of a Redis in memory. Each call lets others run before and after, and may meet a fault."""

import math
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import suppress
from functools import partial
from hashlib import sha1
from typing import Any, NamedTuple, NoReturn

from fakeredis import FakeServer
from redis.client import Pipeline
from redis.exceptions import ConnectionError as StoreConnectionError
from redis.exceptions import RedisError
from redis.exceptions import TimeoutError as StoreTimeoutError

from jobs.errors import FilesUnavailable
from jobs.queues.connection import repeat_once
from tests.simulation.scheduler import Actor, Process, Scheduler
from tests.unit.in_memory import MemoryRedis

IsThere = Callable[[], bool]
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
        self.store = MemoryRedis(server=self.server, protocol=2, host="simulated")
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
        self._blocked: dict[Actor, IsThere] = {}
        """Who waits in the store, until what."""
        self._restarts = 0

    def time(self) -> float:
        return self._scheduler.now + (self.clock_error if self._in_store else 0.0)

    @property
    def loses_messages(self) -> bool:
        return self._scheduler.now < self._loses_messages_until

    def call(self, name: str, perform: Callable[[], Any]) -> Any:
        scheduler = self._scheduler
        if scheduler.process is scheduler.outside:
            return self._perform(perform)
        scheduler.step()
        self.calls += 1
        self.trace.append(f"{self.calls} {scheduler.process.name} {name}")
        fault = self._fault_of(name)
        self._refuse_while_down()
        reply = self._meet(fault, name, perform) if fault else self._perform(perform)
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

    def wait_until(self, is_there: IsThere, most_seconds: float = math.inf) -> None:
        """Returns when something that was done in the store makes it true, or after so many seconds."""
        actor = self._scheduler.current
        assert actor
        self._in_store = False
        self._blocked[actor] = is_there
        try:
            self._scheduler.sleep(most_seconds)
        finally:
            self._blocked.pop(actor, None)

    def block(self, read: Callable[[], Any], is_there: IsThere, seconds: float) -> Any:
        """As a call that waits in the store: what it reads at once, or as soon as there is something."""
        end, restarts = self._scheduler.now + seconds, self._restarts
        while not (found := read()) and self._scheduler.now < end:
            self.wait_until(lambda: is_there() or self._restarts > restarts, end - self._scheduler.now)
            if self._restarts > restarts:
                raise StoreConnectionError("the store has restarted")
            self._in_store = True
        return found

    def _perform(self, perform: Callable[[], Any]) -> Any:
        self._in_store = True
        try:
            return perform()
        finally:
            self._in_store = False
            self._wake_blocked()

    def _wake_blocked(self) -> None:
        for actor in [actor for actor, is_there in self._blocked.items() if is_there()]:
            del self._blocked[actor]
            self._scheduler.wake(actor)

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
                self._perform(perform)
            self._kill(scheduler.process)
        if fault.kind in ("lose_request", "lose_answer", "late"):
            self._lose(fault, name, perform)
        if fault.kind == "reset_answer":
            self._reset(fault, perform)
        self._disturb(fault)
        return self._perform(perform)

    def _lose(self, fault: Fault, name: str, perform: Callable[[], Any]) -> None:
        """The call is not made, or its answer is lost, or it is made after the caller has given up."""
        scheduler = self._scheduler
        if fault.kind == "lose_request":
            raise StoreConnectionError("reset before the request")
        if fault.kind == "late":
            scheduler.spawn(scheduler.outside, self._perform_late, fault.seconds, name, perform)
        else:
            self._perform(perform)
        scheduler.sleep(WEB_TIMEOUT if scheduler.process.name.startswith("web") else WORKER_TIMEOUT)
        raise StoreTimeoutError("no answer")

    def _reset(self, fault: Fault, perform: Callable[[], Any]) -> NoReturn:
        """The call is made, and its connection closed instead of an answer."""
        self._perform(perform)
        self._scheduler.sleep(fault.seconds)
        raise StoreConnectionError("reset before the answer")

    def _disturb(self, fault: Fault) -> None:
        """What befalls others than the caller, too."""
        scheduler, until = self._scheduler, self._scheduler.now + fault.seconds
        match fault.kind:
            case "freeze":
                scheduler.freeze(scheduler.process, until)
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
            self._perform(perform)

    def _kill(self, process: Process) -> None:
        self._blocked = {actor: what for actor, what in self._blocked.items() if actor.process is not process}
        self.on_kill(process)
        self._scheduler.kill(process)

    def _restart(self, seconds: float) -> NoReturn:
        self._down_until = self._scheduler.now + seconds
        self._loses_messages_until = self._down_until
        self.server.script_cache.clear()
        self._restarts += 1
        self._wake_blocked()
        raise StoreConnectionError("the store restarts")


def _text(value: Any) -> str:
    return value.decode() if isinstance(value, bytes) else str(value)


class SimulatedRedis(MemoryRedis):
    def __init__(self, network: Network) -> None:
        super().__init__(connection_pool=network.store.connection_pool)
        self.network = network

    def execute_command(self, *args: Any, **options: Any) -> Any:
        perform = super().execute_command
        return self._call(self.network.name_of(*args), lambda: perform(*args, **options))

    def _call(self, name: str, perform: Callable[[], Any]) -> Any:
        return self.network.call(name, perform)

    def client(self) -> "SimulatedRedis":
        return self

    def pipeline(self, transaction: Any = True, shard_hint: Any = None) -> Any:
        return SimulatedPipeline(self.network, self, bool(transaction))

    def xreadgroup(  # type: ignore[override]
        self, group: str, consumer: str, streams: dict[Any, Any], block: int | None = None, **options: Any
    ) -> Any:
        seconds = (block or 0) / 1000
        read = partial(self.network.store.xreadgroup, group, consumer, streams, **options)
        is_there = partial(self._has_new, group, [*streams])
        return self.network.call("XREADGROUP", lambda: self.network.block(read, is_there, seconds))

    def _has_new(self, group: str, streams: list[str]) -> bool:
        """Whether one of the streams has entries that nobody of the group has read, or is gone."""
        for stream in streams:
            found: Any = self.network.server.dbs[0].get(stream.encode())
            its_group = found and found.value.group_get(group.encode())
            if not its_group or found.value.last_id > its_group.last_delivered_key:
                return True
        return False

    def pubsub(self, **options: Any) -> Any:
        return Subscription(self.network, super().pubsub(**options))  # type: ignore[no-untyped-call]

    def info(self, section: str | None = None, *args: Any, **options: Any) -> Any:
        return {"used_memory": 0, "maxmemory": 0}


class RepeatingRedis(SimulatedRedis):
    """Adds predictions: a call is repeated as jobs/queues/connection.py repeats it."""

    _is_open = False

    def _call(self, name: str, perform: Callable[[], Any]) -> Any:
        return repeat_once(lambda: self._call_once(name, perform), self._is_open)

    def _call_once(self, name: str, perform: Callable[[], Any]) -> Any:
        self._is_open = True
        try:
            return super()._call(name, perform)
        except (StoreConnectionError, StoreTimeoutError):
            self._is_open = False
            raise


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
            self._network.wait_until(self._has_message)

    def _has_message(self) -> bool:
        return bool(self._pubsub.connection.can_read(0))
