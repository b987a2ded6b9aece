"""The Celery tasks: each only says that its bell has rung."""

from collections.abc import Callable
from typing import Any

from celery import Celery

from jobs.names import SCORE_PREDICTIONS


def register(celery: Celery, answer: Callable[[str], None]) -> None:
    """`answer` is called in a child with the name of the bell."""

    @celery.task(name=SCORE_PREDICTIONS, bind=True, ignore_result=True)  # type: ignore[untyped-decorator]
    def score_predictions(task: Any) -> None:
        answer(task.request.id)
