"""One run of a seed: a service, callers and faults, and whether the promises held."""

import gc
import hashlib
import logging
import random
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any
from unittest.mock import patch

from jobs.queues import script_calls
from jobs.queues.scripts import Source
from jobs.settings import Settings
from tests.simulation import promises
from tests.simulation.batch_callers import BatchCaller
from tests.simulation.callers import Caller, Ledger
from tests.simulation.files import SimulatedFiles, damage_a_part
from tests.simulation.network import Fault, Network, SimulatedRedis
from tests.simulation.runtime import simulated
from tests.simulation.scheduler import EPOCH, Scheduler
from tests.simulation.service import Service, bundles, catalog, connected
from tests.unit import in_memory

KINDS = {
    "kill_before": 0.0,
    "kill_after": 0.0,
    "lose_request": 0.0,
    "lose_answer": 0.0,
    "reset_answer": 0.8,
    "late": 8.0,
    "freeze": 25.0,
    "restart_store": 4.0,
    "clock_back": 0.0,
    "clock_ahead": 0.0,
    "lose_messages": 5.0,
    "files_away": 6.0,
    "damage": 0.0,
}
"""How many seconds each kind of fault lasts at most."""
LAST_CALL = 400
"""Faults meet calls up to this one."""
PREFIX = "paygrade-simulation-"
CALLING_SECONDS = 300
RECOVERY_SECONDS = 60
"""A worker may be frozen for 25 s, a lease lasts 15 s, and a job may be lost three times."""
QUIET_SECONDS = 8
"""Whoever lost an answer has given up by then, has repeated the call, and a sweep has seen what it did."""

_STANDARD_FIELDS = frozenset(vars(logging.makeLogRecord({})))


@dataclass(frozen=True)
class Plan:
    """What a seed stands for. A smaller plan of the same seed is another run."""

    seed: int
    faults: tuple[Fault, ...]
    callers: int
    jobs: int
    batches: int
    loss: float

    @classmethod
    def of(cls, seed: int) -> "Plan":
        chance = random.Random(seed)  # noqa: S311 (it must repeat)
        kinds = sorted(KINDS)
        faults = []
        for _ in range(chance.randrange(9)):
            kind = chance.choice(kinds)
            faults.append(Fault(chance.randrange(1, LAST_CALL), kind, chance.random() * KINDS[kind]))
        return cls(
            seed,
            tuple(sorted(faults)),
            callers=chance.randrange(1, 5),
            jobs=chance.randrange(1, 4),
            batches=chance.choice([0, 0, 1, 2]),
            loss=chance.choice([0, 0, 0.2]),
        )

    def smaller(self) -> "list[Plan]":
        """Plans that lack one thing that this one has."""
        fewer = [
            replace(self, faults=self.faults[:number] + self.faults[number + 1 :])
            for number in range(len(self.faults))
        ]
        if self.loss:
            fewer.append(replace(self, loss=0))
        if self.batches:
            fewer.append(replace(self, batches=self.batches - 1))
        if self.callers > 1:
            fewer.append(replace(self, callers=self.callers - 1))
        if self.jobs > 1:
            fewer.append(replace(self, jobs=self.jobs - 1))
        return fewer


@dataclass
class Report:
    """What a run showed. `trace` has each call of the store, in order."""

    broken: list[str] = field(default_factory=list)
    accepted: int = 0
    calls: int = 0
    faults: list[str] = field(default_factory=list)
    seconds: float = 0.0
    trace: list[str] = field(default_factory=list)

    @property
    def digest(self) -> str:
        return hashlib.sha256("\n".join(self.trace).encode()).hexdigest()[:16]


def run(plan: Plan) -> Report:
    """Runs the plan; each time the same."""
    with _uncollected():
        return _run(plan)


def _run(plan: Plan) -> Report:
    scheduler = Scheduler(plan.seed)
    network = Network(scheduler, list(plan.faults))
    ledger, report = Ledger(), Report()
    manifest = catalog().find()
    bundles().get(manifest.ref, manifest.sha256)
    with _logged_to(network.trace), tempfile.TemporaryDirectory(prefix=PREFIX) as data:
        settings = Settings(data=Path(data), bundles="model/bundles", children=2, batch_children=1)
        network.damage = partial(damage_a_part, settings.data, scheduler.random)
        files = SimulatedFiles(network, settings.data)
        with (
            simulated(scheduler, network.time),
            connected(network, files),
            _named(network),
            _illegal(report.broken),
        ):
            service = Service(scheduler, network, settings, plan.loss)
            service.start(webs=2, workers=1)
            callers: list[Caller | BatchCaller] = [
                Caller(service, ledger, f"caller{number}") for number in range(plan.callers)
            ]
            for caller in callers:
                scheduler.spawn(scheduler.outside, caller.run, plan.jobs)
            if plan.batches:
                callers.append(BatchCaller(service, ledger, "uploader"))
                scheduler.spawn(scheduler.outside, callers[-1].run, plan.batches)
            stores = promises.Stores.of(SimulatedRedis(network), settings)
            if not scheduler.run(lambda: all(caller.done for caller in callers), CALLING_SECONDS):
                report.broken.append("callers wait for ever")
            ends = max(scheduler.now, network.last_fault_at)
            scheduler.run(lambda: scheduler.now > ends, RECOVERY_SECONDS)
            recovered = scheduler.run(lambda: promises.all_ended(stores), RECOVERY_SECONDS)
            if recovered:
                _settle(scheduler, stores, settings)
            report.broken += ledger.broken
            report.broken += promises.broken(stores, ledger, settings.attempts)
            report.broken += scheduler.crashes
            scheduler.close()
    report.accepted, report.calls, report.faults = len(ledger.rows), network.calls, network.faults_met
    report.seconds, report.trace = scheduler.now - EPOCH, network.trace
    return report


def _settle(scheduler: Scheduler, stores: promises.Stores, settings: Settings) -> None:
    """Until the queues are empty, or have had the time to become so.

    A sweep sees that the clock was set, one requeues when the lease is over, one may be lost.
    """
    quiet = scheduler.now + QUIET_SECONDS
    scheduler.run(
        lambda: scheduler.now > quiet and not any(promises.left_in_queues(stores.redis)),
        settings.lease_seconds + 10,
    )


@contextmanager
def _uncollected() -> Iterator[None]:
    """Garbage is collected between runs only, and not among what was there before, since that takes long."""
    gc.collect()
    gc.freeze()
    gc.disable()
    try:
        yield
    finally:
        gc.enable()


@contextmanager
def _named(network: Network) -> Iterator[None]:
    """Tells the network the names of scripts; a test may have changed their texts."""
    load_script = vars(script_calls)["load"]

    def noting(name: str, kind: Any = None) -> Source:
        source: Source = load_script(name, kind)
        text = source.text.partition("\n")[2] if source.text.startswith("#!") else source.text
        network.script_names[hashlib.sha1(text.encode()).hexdigest()] = name  # noqa: S324
        return source

    with patch.object(script_calls, "load", noting):
        yield


@contextmanager
def _illegal(broken: list[str]) -> Iterator[None]:
    """Notes each change that the tables of statuses do not have, whoever catches its error."""
    check = in_memory.check

    def noting(*change: Any) -> None:
        try:
            check(*change)
        except in_memory.IllegalChange as error:
            broken.append(str(error))
            raise

    with patch.object(in_memory, "check", noting):
        yield


class TraceHandler(logging.Handler):
    def __init__(self, trace: list[str]) -> None:
        super().__init__()
        self._trace = trace

    def emit(self, record: logging.LogRecord) -> None:
        fields = {name: value for name, value in vars(record).items() if name not in _STANDARD_FIELDS}
        self._trace.append(f"log {record.msg} {fields}")


@contextmanager
def _logged_to(trace: list[str]) -> Iterator[None]:
    """The log of all processes is a part of the trace."""
    root, handler = logging.getLogger(), TraceHandler(trace)
    before = root.handlers[:]
    root.handlers[:] = [handler]
    try:
        yield
    finally:
        root.handlers[:] = before


def shrunk(plan: Plan) -> Plan:
    """The smallest plan that is still broken, leaving out one thing after the other."""
    for smaller in plan.smaller():
        if run(smaller).broken:
            return shrunk(smaller)
    return plan
