"""One session: how long to measure, and what was measured."""

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from statistics import median

from benchmarks.contenders import IN_PROCESS, Contender
from benchmarks.load import Load
from benchmarks.targets import TARGETS, Target
from benchmarks.wrk import Run, run

WARM_UP_SECONDS = 1


@dataclass(frozen=True)
class Measurement:
    """Medians over the runs of one load on one contender; times in milliseconds.

    `cpu` is what each part uses for a request, in microseconds.
    """

    contender: str
    scenario: str
    connections: int
    model: str
    rows: int
    rate: float
    p50: float
    p99: float
    failures: int
    cpu: dict[str, float]


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
class Timing:
    """Seconds, the median over the runs, that a contender takes for a whole file."""

    contender: str
    scenario: str
    seconds: float


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
    timings: list[Timing] = field(default_factory=list)
    memory: list[Memory] = field(default_factory=list)
    failures: list[str] = field(default_factory=list)

    def measure(self, contender: Contender, scenario: str, load: Load, connections: int) -> Measurement:
        """The medians of some runs, after a warm-up whose answers count too."""
        return self.measure_by_turns([(contender, load)], scenario, connections)[0]

    def measure_by_turns(
        self, loads: Sequence[tuple[Contender, Load]], scenario: str, connections: int
    ) -> list[Measurement]:
        """Load contenders that are all up, one after the other in each turn.

        So the machine becoming slower affects all of them alike.
        """
        for contender, load in loads:
            self._run_named(scenario, contender, load, connections, WARM_UP_SECONDS)
        turns = [
            [self._run_named(scenario, contender, load, connections) for contender, load in loads]
            for _ in range(self.runs)
        ]
        return [
            self.record(contender, scenario, load, connections, list(runs))
            for (contender, load), runs in zip(loads, zip(*turns, strict=True), strict=True)
        ]

    def _run_named(
        self, scenario: str, contender: Contender, load: Load, connections: int, seconds: int | None = None
    ) -> Run:
        name = f"{scenario}, {contender.name}, {connections} connections"
        return self.run(name, contender, load, connections, seconds)

    def run(
        self,
        name: str,
        contender: Contender,
        load: Load,
        connections: int,
        seconds: int | None = None,
        pace: float = 0,
    ) -> Run:
        """One run; every answer but the right one is a failure of the session."""
        before = contender.cpu_seconds()
        one = run(load, contender.port, connections, seconds or self.seconds, pace)
        used = {part: now - before[part] for part, now in contender.cpu_seconds().items()}
        self.require(not one.failures, f"{name}: failures among {one.requests} requests: {one.failures}")
        return replace(one, cpu=used)

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
            {part: round(_microseconds(part, runs), 1) for part in runs[0].cpu},
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

    def timed(self, contender: str, scenario: str, seconds: Sequence[float]) -> float:
        """Keep what a contender took for a file, and return the median."""
        timing = Timing(contender, scenario, round(median(seconds), 3))
        self.timings.append(timing)
        self.say(f"{contender:<15} {scenario}: {timing.seconds:.2f} s")
        return timing.seconds

    def weigh(self, contender: Contender, scenario: str) -> None:
        """Keep the memory of each process."""
        for part in contender.processes:
            self.memory.append(Memory(contender.name, scenario, part, contender.memory(part)))

    def require(self, right: bool, otherwise: str) -> None:
        """Note a failure unless the condition holds; the session continues, and fails at its end."""
        if not right:
            self.failures.append(otherwise)
            self.say(f"FAILED {otherwise}")

    def say(self, line: str) -> None:
        """Print a line of progress."""
        print(line, file=sys.stderr, flush=True)


def _microseconds(part: str, runs: Sequence[Run]) -> float:
    return median(1e6 * each.cpu[part] / max(each.requests, 1) for each in runs)
