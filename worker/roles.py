"""The table of roles of a worker process: the queues that its children serve, and the loops that do it."""

from collections.abc import Callable, Sequence
from contextlib import nullcontext
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple, Protocol

from celery import Celery

from jobs.batches.consumer import BatchConsumer
from jobs.files.location import files_at
from jobs.logs import Journal
from jobs.metrics import Metrics
from jobs.predictions.consumer import PredictionConsumer
from jobs.queues.connection import WORKER_ANSWER_SECONDS, connect, connect_one
from jobs.queues.names import BATCHES, EXPLANATIONS, PREDICTIONS, Queue
from jobs.queues.queue import send_wake_up
from jobs.settings import Settings
from jobs.supervision import Supervisor
from jobs.tracing import Tracing
from worker.limits import LEAST_BUDGET, LEAST_FOR_PREDICTIONS, MemoryBudget
from worker.sweeper import BatchQueueSweep, QueueSweep, Sweep

if TYPE_CHECKING:
    from worker.bundles import Bundles


class Loop(Protocol):
    """Works on one queue, in threads of its own or when it is woken."""

    @property
    def rows_per_second(self) -> int:
        """The rate while the loop has work; 0 before its first row."""

    def start(self) -> None:
        """Starts the threads of the loop."""

    def flush(self) -> None:
        """Writes what the loop has measured to metrics and log."""

    def close(self) -> None:
        """Waits for the threads of the loop, before the process ends."""


class WokenLoop(Loop, Protocol):
    def answer(self, wake_up: str) -> None:
        """Works until nothing waits, or the worker stops. Raises StoreUnavailable."""


class ChildContext(NamedTuple):
    """What a child passes to its loops. `stopping` returns whether the worker stops."""

    name: str
    settings: Settings
    celery: Celery
    metrics: Metrics
    journal: Journal
    bundles: "Bundles"
    stopping: Callable[[], bool]
    supervisor: Supervisor
    memory: MemoryBudget
    tracing: Tracing | None


class Role(NamedTuple):
    serves: tuple[Queue, ...]
    """The queues that its loops work on; the first is the one whose wake-ups its children answer."""
    children: Callable[[Settings], int]
    """The number of child processes."""
    niceness: int
    make_loops: Callable[[ChildContext], tuple[WokenLoop, list[Loop]]]
    """Makes one loop for each queue, in the same order. Call it in a child only, because it loads XGBoost."""
    make_sweeps: Callable[[Settings, Celery], list[Sweep]]
    least_memory: int
    """Bytes of each child."""
    packages: tuple[str, ...] = ()
    """What its loops import that the image of another role may lack."""

    @property
    def queue(self) -> Queue:
        return self.serves[0]


def _prediction_loops(child: ChildContext) -> tuple[WokenLoop, list[Loop]]:
    from worker.explanations import ExplanationLoop
    from worker.measurements import Measurements
    from worker.predictions import PredictionLoop
    from worker.spans import ClaimSpans

    settings = child.settings

    def measurements() -> Measurements:
        """One for each thread."""
        spans = ClaimSpans(child.tracing) if child.tracing else None
        return Measurements(child.metrics, child.journal, spans)

    predictions = PredictionConsumer(connect_one(settings, WORKER_ANSWER_SECONDS), settings)
    explanations = PredictionConsumer(connect(settings, WORKER_ANSWER_SECONDS), settings, EXPLANATIONS)
    woken = PredictionLoop(predictions, child.bundles, measurements(), child.name, child.stopping)
    watching = ExplanationLoop(
        explanations,
        child.bundles,
        measurements(),
        child.name,
        settings.lease_seconds,
        child.stopping,
        child.supervisor,
    )
    return woken, [watching]


def _batch_loops(child: ChildContext) -> tuple[WokenLoop, list[Loop]]:
    import pyarrow as pa

    from worker.batches import BatchLoop, BatchStages, Lease
    from worker.measurements import Measurements
    from worker.spans import span_of_task

    pa.set_cpu_count(1)  # the children share the cores among themselves
    settings = child.settings
    redis = connect(settings, WORKER_ANSWER_SECONDS)
    consumer = BatchConsumer(redis, settings, lambda name: send_wake_up(child.celery, BATCHES, name))
    measurements = Measurements(child.metrics, child.journal)
    stages = BatchStages.of(consumer, files_at(settings.files_location), measurements, settings)
    lease = Lease(consumer, child.name, child.stopping, child.supervisor)
    loop = BatchLoop(
        consumer,
        child.bundles,
        stages,
        lease,
        child.name,
        child.stopping,
        settings.attempts,
        settings.files_patience_seconds,
        child.memory.give_back,
        span_of_task(child.tracing) if child.tracing else nullcontext,
    )
    return loop, []


def _prediction_sweeps(settings: Settings, celery: Celery) -> list[Sweep]:
    redis = connect(settings)
    queues = (PREDICTIONS, EXPLANATIONS)
    return [
        QueueSweep(PredictionConsumer(redis, settings, queue), celery, settings.children) for queue in queues
    ]


def _batch_sweeps(settings: Settings, celery: Celery) -> list[Sweep]:
    consumer = BatchConsumer(connect(settings), settings)
    return [BatchQueueSweep(consumer, celery, settings.batch_children, files_at(settings.files_location))]


ROLES = {
    "predictions": Role(
        serves=(PREDICTIONS, EXPLANATIONS),
        children=lambda settings: settings.children,
        niceness=0,
        make_loops=_prediction_loops,
        make_sweeps=_prediction_sweeps,
        least_memory=LEAST_FOR_PREDICTIONS,
    ),
    "batches": Role(
        serves=(BATCHES,),
        children=lambda settings: settings.batch_children,
        niceness=10,  # a file never delays a prediction
        make_loops=_batch_loops,
        make_sweeps=_batch_sweeps,
        least_memory=LEAST_BUDGET,
        packages=("pyarrow",),
    ),
}
"""The roles of workers, by the names that PAYGRADE_QUEUES accepts."""


def missing_package(names: Sequence[str]) -> str:
    """Says which package these roles need and this installation lacks; empty if there is none."""
    for name in names:
        for package in ROLES[name].packages:
            if find_spec(package) is None:
                return (
                    f"PAYGRADE_QUEUES asks for {name}, and the package {package} is not installed; "
                    "use the image `worker`, or set PAYGRADE_QUEUES=predictions"
                )
    return ""
