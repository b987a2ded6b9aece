"""WaitingWork that waits, as a fluid: workers drain it at their pace, first come, first served."""

from collections import deque
from collections.abc import Callable
from dataclasses import dataclass


@dataclass
class Job:
    posted_at: float
    amount: float
    asleep: bool
    """No worker was alive when it was posted."""
    done_at: float | None = None


class Backlog:
    """`pace` is what one worker does of it in a second."""

    def __init__(self, pace: float, done: Callable[[Job], None]) -> None:
        self.pace = pace
        self.added = 0.0
        self.served = 0.0
        self._done = done
        self._jobs: deque[tuple[float, Job]] = deque()

    @property
    def amount(self) -> float:
        return max(self.added - self.served, 0.0)

    @property
    def jobs(self) -> int:
        return len(self._jobs)

    @property
    def oldest(self) -> float | None:
        """When the job that has waited longest was posted."""
        return self._jobs[0][1].posted_at if self._jobs else None

    def add(self, job: Job) -> None:
        self.added += job.amount
        self._jobs.append((self.added, job))

    def drain(self, now: float, seconds: float, workers: float) -> None:
        """So many workers work for so long, from now on."""
        rate = workers * self.pace
        served = min(self.served + rate * seconds, self.added)
        while self._jobs and self._jobs[0][0] <= served + 1e-9:
            position, job = self._jobs.popleft()
            job.done_at = now + max(position - self.served, 0) / rate
            self._done(job)
        self.served = served
