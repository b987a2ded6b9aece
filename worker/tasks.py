"""The Celery tasks: each only says that its wake_up has rung."""

from collections.abc import Callable
from typing import Any

from celery import Celery

from jobs.queues.names import BATCHES, PREDICTIONS, SCORE_BATCHES, SCORE_PREDICTIONS

TASKS = {PREDICTIONS: SCORE_PREDICTIONS, BATCHES: SCORE_BATCHES}


def register(celery: Celery, queue: str, answer: Callable[[str], None]) -> None:
    """`answer` is called in a child with the name of the wake_up."""

    @celery.task(name=TASKS[queue], bind=True, ignore_result=True)  # type: ignore[untyped-decorator]
    def score(task: Any) -> None:
        answer(task.request.id)
