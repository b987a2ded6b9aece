"""One session: how long to measure, and what was measured."""

import sys
from dataclasses import dataclass, field
from statistics import median

from benchmarks.contenders import IN_PROCESS, Contender
from benchmarks.load import Load
from benchmarks.process import memory
from benchmarks.targets import TARGETS, Target
from benchmarks.wrk import Run, run

WARM_UP_SECONDS = 1


@dataclass(frozen=True)
class Measurement:
    """Medians over the runs of one load on one contender; times in milliseconds."""

    contender: str
    scenario: str
    connections: int
    model: str
    rows: int
    rate: float
    p50: float
    p99: float
    failures: int


@dataclass(frozen=True)
class Figure:
    """A target, and what was measured."""

    target: Target
    measured: float

    @property
    def met(self) -> bool:
        """Whether the measured value is good enough."""
        return self.target.is_met_by(self.measured)


@dataclass(frozen=True)
class Memory:
    """MiB (USS) of each process of a contender, parents first, after a scenario."""

    contender: str
    scenario: str
    part: str
    mib: list[float]


@dataclass
class Session:
    """Measures, and keeps all of it for the report."""

    seconds: int
    runs: int
    measurements: list[Measurement] = field(default_factory=list)
    figures: list[Figure] = field(default_factory=list)
    memory: list[Memory] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def measure(self, contender: Contender, scenario: str, load: Load, connections: int) -> Measurement:
        """The medians of some runs, after a warm-up whose answers count too."""
        name = f"{scenario}, {contender.name}, {connections} connections"
        self.run(name, contender, load, connections, WARM_UP_SECONDS)
        runs = [self.run(name, contender, load, connections) for _ in range(self.runs)]
        return self.record(contender, scenario, load, connections, runs)

    def run(
        self, name: str, contender: Contender, load: Load, connections: int, seconds: int | None = None
    ) -> Run:
        """One run; every answer but the right one is a failure of the session."""
        one = run(load, contender.port, connections, seconds or self.seconds)
        self.require(not one.failures, f"{name}: failures among {one.requests} requests: {one.failures}")
        return one

    def record(
        self, contender: Contender, scenario: str, load: Load, connections: int, runs: list[Run]
    ) -> Measurement:
        """Keep the medians of runs."""
        self.require(all(each.requests for each in runs), f"{scenario}, {contender.name}: no answers")
        measurement = Measurement(
            contender.name,
            scenario,
            connections,
            load.model,
            load.rows,
            median(each.rate for each in runs),
            median(each.p50 for each in runs),
            median(each.p99 for each in runs),
            sum(sum(each.failures.values()) for each in runs),
        )
        self.measurements.append(measurement)
        self.say(f"{contender.name:<15} {scenario}, {connections} connections: {measurement.rate:,.0f}/s")
        return measurement

    def rival(self, rows: int, connections: int, model: str = "salary") -> Measurement | None:
        """What (b) did with the same rows on as many connections, if that was measured."""
        wanted = (IN_PROCESS, model, rows, connections)
        for each in self.measurements:
            if (each.contender, each.model, each.rows, each.connections) == wanted:
                return each
        return None

    def figure(self, name: str, measured: float) -> None:
        """Keep a figure that is asked for."""
        self.figures.append(Figure(TARGETS[name], measured))

    def weigh(self, contender: Contender, scenario: str) -> None:
        """Keep the memory of each process."""
        for part, process in contender.processes.items():
            self.memory.append(Memory(contender.name, scenario, part, memory(process)))

    def require(self, right: bool, otherwise: str) -> None:
        """Note a failure unless the condition holds; the session continues, and fails at its end."""
        if not right:
            self.failures.append(otherwise)
            self.say(f"FAILED {otherwise}")

    def say(self, line: str) -> None:
        """Print a line of progress."""
        print(line, file=sys.stderr, flush=True)
