"""What befalls the service, and when: the same for the same seed and length."""

import random
from dataclasses import dataclass
from itertools import count

HARMS_WORKERS = frozenset(
    {"kill_child", "kill_worker", "stop_child", "stop_worker", "restart_worker", "little_memory"}
)
PROCESSES = {
    "kill_child": 0.0,
    "kill_worker": 0.0,
    "kill_web": 0.0,
    "stop_child": 20.0,
    "stop_worker": 20.0,
    "stop_web": 20.0,
    "stop_store": 20.0,
    "restart_worker": 0.0,
    "restart_web": 0.0,
    "little_memory": 8.0,
}
NETWORK = {"cut": 3.0, "delay": 8.0, "half_answers": 5.0, "lost_answers": 5.0, "silence": 10.0}
STORE = {"kill_store": 3.0, "full_store": 8.0, "full_store_disk": 6.0, "clock": 0.0}
DISK = {"full_disk": 10.0, "read_only_disk": 10.0}
S3 = {"stop_s3": 15.0}
"""Kinds of faults, and how many seconds each lasts at most."""

SHAPES = ("disk", "disk", "s3")


@dataclass(frozen=True, order=True)
class ScheduledFault:
    """`choice`, from 0 to 1, says which of several processes it meets, or how hard it is."""

    at: float
    kind: str
    seconds: float
    choice: float

    def __str__(self) -> str:
        return f"{self.at:5.1f} s {self.kind} for {self.seconds:.1f} s, choice {self.choice:.3f}"


@dataclass(frozen=True)
class Schedule:
    """`shape` is where the files of batches are."""

    seed: int
    seconds: float
    shape: str
    faults: tuple[ScheduledFault, ...]

    @classmethod
    def of(cls, seed: int, seconds: float) -> "Schedule":
        """Every kind comes once before any comes again."""
        chance = random.Random(seed)  # noqa: S311 (it must repeat)
        shape = SHAPES[seed % len(SHAPES)]
        longest = PROCESSES | NETWORK | STORE | (S3 if shape == "s3" else DISK)
        faults: list[ScheduledFault] = []
        at = 2.0
        for number in count():
            at += chance.uniform(0.4, 3)
            if at > seconds:
                return cls(seed, seconds, shape, tuple(faults))
            if number % len(longest) == 0:
                kinds = chance.sample(sorted(longest), len(longest))
            kind = kinds[number % len(longest)]
            lasts = chance.random() ** 2 * longest[kind]  # mostly short: what stands still shows nothing
            faults.append(ScheduledFault(at, kind, lasts, chance.random()))
        raise AssertionError("unreachable")

    @property
    def harms(self) -> int:
        """How often a worker is lost, or may seem to be."""
        return sum(fault.kind in HARMS_WORKERS for fault in self.faults)
