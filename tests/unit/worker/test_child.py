"""A child process of a worker ends with its worker."""

from collections.abc import Callable
from typing import Any

import pytest

from jobs.logs import Journal
from jobs.queues.celery_app import make_celery
from jobs.settings import Settings
from worker.child import Child
from worker.roles import ROLES


class Ended(BaseException):
    """Instead of the end of the process."""


class RunsAtOnce:
    """Instead of a thread."""

    def __init__(self, target: Callable[[], None], **_: Any) -> None:
        self.start = target


def end(status: int) -> None:
    raise Ended(status)


def test_a_child_whose_worker_was_killed_before_it_started_ends(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = Child(
        ROLES["predictions"], settings, make_celery(settings), Journal("INFO", print), lambda: False
    )
    monkeypatch.setattr(Child, "_prepare", lambda _: None)
    monkeypatch.setattr("worker.child.threading.Thread", RunsAtOnce)
    monkeypatch.setattr("worker.child.os.getppid", lambda: 1)
    monkeypatch.setattr("worker.child.os._exit", end)
    with pytest.raises(Ended):
        child.start()
