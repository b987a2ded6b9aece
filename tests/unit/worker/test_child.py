"""A child process of a worker ends with its worker, and shows that it is alive until then."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from jobs.logs import Journal
from jobs.predictions.consumer import PredictionConsumer
from jobs.predictions.store import PredictionStore
from jobs.queues.capacity import Capacity
from jobs.queues.celery_app import make_celery
from jobs.settings import Settings
from jobs.supervision import Supervisor
from tests.unit.conftest import job, living
from worker.child import Child
from worker.limits import MemoryBudget
from worker.roles import ROLES, ChildContext, Role


class Ended(BaseException):
    """Instead of the end of the process."""


@pytest.fixture(autouse=True)
def no_task(monkeypatch: pytest.MonkeyPatch) -> None:
    """All apps of a process share their tasks."""
    monkeypatch.setattr(Child, "_register", lambda _: None)


def end(status: int) -> None:
    raise Ended(status)


def test_a_child_whose_worker_was_killed_before_it_started_ends(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    child = Child(
        ROLES["predictions"], settings, make_celery(settings), Journal("INFO", print), lambda: False
    )
    monkeypatch.setattr(Child, "_prepare", lambda _: None)
    monkeypatch.setattr(Supervisor, "start", lambda _, name, loop: loop())
    monkeypatch.setattr("worker.child.os.getppid", lambda: 1)
    monkeypatch.setattr("worker.child.os._exit", end)
    with pytest.raises(Ended):
        child.start()


class IdleLoop:
    rows_per_second = 0

    def flush(self) -> None: ...


@pytest.fixture
def child(settings: Settings, redis: Redis, monkeypatch: pytest.MonkeyPatch) -> Child:
    """A started child that scores nothing."""
    monkeypatch.setattr("worker.child.connect", lambda *_: redis)
    monkeypatch.setattr(Child, "_prepare", lambda child: setattr(child, "_loops", [IdleLoop(), IdleLoop()]))
    monkeypatch.setattr(Supervisor, "start", lambda *_: None)
    celery = make_celery(settings)
    celery.conf.broker_url = "memory://localhost"
    child = Child(ROLES["predictions"], settings, celery, Journal("INFO", print), lambda: False)
    child.start()
    return child


def test_a_heartbeat_file_that_cannot_be_written_stops_nothing(
    child: Child, monkeypatch: pytest.MonkeyPatch, capacity: Callable[[], Capacity]
) -> None:
    monkeypatch.setattr("worker.child.heartbeat_file", lambda _: Path("/proc/no/such/folder"))
    child.beat()
    assert len(capacity().children) == 1


def test_a_child_that_starts_sends_a_wake_up_whatever_was_sent_before(
    child: Child, store: PredictionStore, consumer: PredictionConsumer, monkeypatch: pytest.MonkeyPatch
) -> None:
    sent: list[str] = []
    monkeypatch.setattr("worker.child.send_wake_up", lambda celery, queue, name: sent.append(name))
    consumer.report_alive(living("the one before"))
    _, [lost] = store.add([job()])
    child.beat()
    child.beat()
    assert len(sent) == 1
    assert lost not in sent


def test_a_child_that_starts_sends_no_wake_up_for_an_empty_queue(
    child: Child, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("worker.child.send_wake_up", lambda *_: pytest.fail("nothing waits"))
    child.beat()


@pytest.mark.parametrize("role", ROLES.values(), ids=ROLES)
def test_the_loops_of_a_child_are_made_before_redis_answers(
    role: Role, settings: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Redis is asked for nothing: no unit test may open a socket."""
    monkeypatch.setattr("pyarrow.set_cpu_count", lambda _: None)
    unused: Any = None
    context = ChildContext(
        "host:1:2",
        settings.model_copy(update={"data": tmp_path}),
        make_celery(settings),
        unused,
        Journal("INFO", print),
        bundles=unused,
        stopping=lambda: False,
        supervisor=unused,
        memory=MemoryBudget(0),
        tracing=None,
    )
    woken, others = role.make_loops(context)
    assert len([woken, *others]) == len(role.serves)
