"""One run of a seed: a service, callers and faults, and whether the promises held."""

import hashlib
import logging
import random
import tempfile
from dataclasses import dataclass, field, replace
from pathlib import Path

from jobs.predictions.store import PredictionStore
from jobs.settings import Settings
from tests.simulation import promises
from tests.simulation.callers import Caller, Ledger
from tests.simulation.network import Fault, Network, SimulatedRedis
from tests.simulation.runtime import simulated
from tests.simulation.scheduler import EPOCH, Scheduler
from tests.simulation.service import Service, bundles, catalog, connected

KINDS = {
    "kill_before": 0.0,
    "kill_after": 0.0,
    "lose_request": 0.0,
    "lose_answer": 0.0,
    "late": 8.0,
    "freeze": 25.0,
    "restart_store": 4.0,
    "clock_back": 0.0,
    "clock_ahead": 0.0,
    "lose_messages": 5.0,
}
"""How many seconds each kind of fault lasts at most."""
LAST_CALL = 600
"""Faults meet calls up to this one."""
CALLING_SECONDS = 300
RECOVERY_SECONDS = 60
"""A worker may be frozen for 25 s, a lease lasts 15 s, and a job may be lost three times."""


@dataclass(frozen=True)
class Plan:
    """What a seed stands for. A smaller plan of the same seed is another run."""

    seed: int
    faults: tuple[Fault, ...]
    callers: int
    jobs: int
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
            chance.randrange(1, 5),
            chance.randrange(1, 4),
            chance.choice([0, 0, 0.2]),
        )

    def smaller(self) -> "list[Plan]":
        """Plans that lack one thing that this one has."""
        fewer = [
            replace(self, faults=self.faults[:number] + self.faults[number + 1 :])
            for number in range(len(self.faults))
        ]
        if self.loss:
            fewer.append(replace(self, loss=0))
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
    scheduler = Scheduler(plan.seed)
    network = Network(scheduler, list(plan.faults))
    ledger, report = Ledger(), Report()
    manifest = catalog().find()
    bundles().get(manifest.ref, manifest.sha256)
    logging.disable(logging.CRITICAL)
    with tempfile.TemporaryDirectory(prefix="paygrade-simulation-") as data:
        settings = Settings(data=Path(data), bundles="model/bundles", children=2, batch_children=1)
        with simulated(scheduler, network.time), connected(network):
            service = Service(scheduler, network, settings, plan.loss)
            service.start(webs=2, workers=1)
            callers = [Caller(service, ledger, f"caller{number}") for number in range(plan.callers)]
            for caller in callers:
                scheduler.spawn(scheduler.outside, caller.run, plan.jobs)
            outside = SimulatedRedis(network)
            store = PredictionStore(outside, settings)
            if not scheduler.run(lambda: all(caller.done for caller in callers), CALLING_SECONDS):
                report.broken.append("callers wait for ever")
            ends = max(scheduler.now, network.last_fault_at)
            scheduler.run(lambda: scheduler.now > ends, RECOVERY_SECONDS)
            recovered = scheduler.run(lambda: promises.all_ended(outside, store), RECOVERY_SECONDS)
            if recovered:
                settled = scheduler.now + 10
                scheduler.run(lambda: scheduler.now > settled, 20)
            report.broken += ledger.broken
            report.broken += promises.broken(outside, store, ledger, settings.attempts)
            report.broken += scheduler.crashes
            scheduler.close()
    logging.disable(logging.NOTSET)
    report.accepted, report.calls, report.faults = len(ledger.rows), network.calls, network.faults_met
    report.seconds, report.trace = scheduler.now - EPOCH, network.trace
    return report


def shrunk(plan: Plan) -> Plan:
    """The smallest plan that is still broken, leaving out one thing after the other."""
    for smaller in plan.smaller():
        if run(smaller).broken:
            return shrunk(smaller)
    return plan
