"""The names that web, workers and Redis share: the kinds of jobs, their queues, and their Celery tasks."""

from typing import NamedTuple

from jobs import ids

GROUP = "workers"
"""The consumer group of every queue: all consumers of all workers."""

WEB_PROCESSES = "web_processes"
"""The sorted set of the web processes that are alive."""


class Kind(NamedTuple):
    name: str
    """The name of its package in jobs/, of its keys in Redis, and of its label in metrics."""
    id_prefix: str
    definitions: str
    """The Lua file that its scripts share."""
    detail: bytes
    """The field that an entry of its queues has besides the id: its rows, or its task."""

    def list_of(self, owner: str) -> str:
        """The key of the owner's list of jobs."""
        return f"{self.name}:of:{owner}"


PREDICTION = Kind("predictions", ids.PREDICTION, "predictions/prediction", b"rows")
BATCH = Kind("batches", ids.BATCH, "batches/batch", b"task")


class Queue(NamedTuple):
    """Jobs of one kind that wait. `task` is the Celery task that its wake-ups start.

    A queue without a task has no wake-ups: its consumers watch it all the time.
    """

    name: str
    kind: Kind
    task: str = ""

    @property
    def stream(self) -> str:
        return f"queue:{self.name}"

    @property
    def streams(self) -> tuple[str, str, str]:
        """Entries of lost workers wait in the second, and those that come first in the third."""
        return self.stream, f"{self.stream}:retry", f"{self.stream}:first"

    @property
    def rows(self) -> str:
        """The key that counts the rows that wait."""
        return f"{self.stream}:rows"

    @property
    def consumers(self) -> str:
        """The sorted set of the consumers that are alive."""
        return f"{self.stream}:consumers"


PREDICTIONS = Queue("predictions", PREDICTION, "score_predictions.v1")
EXPLANATIONS = Queue("explanations", PREDICTION)
BATCHES = Queue("batches", BATCH, "score_batches.v1")

QUEUES = (PREDICTIONS, EXPLANATIONS, BATCHES)


def channel_of(web_process: str) -> str:
    """The pub/sub channel on which a web process receives how jobs ended."""
    return f"ended:{web_process}"
