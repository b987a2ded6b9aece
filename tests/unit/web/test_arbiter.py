"""A process of web that hangs is ended, and one that was paused with all the others is not."""

import signal
from types import SimpleNamespace

import pytest
from gunicorn.app.base import BaseApplication

from jobs.logs import Journal
from jobs.settings import Settings
from model.description.catalog import Catalog
from tests.unit.web.site import BUNDLES
from web.arbiter import PatientArbiter
from web.keys import ApiKeys
from web.server import WebServer

HANGS_AFTER = 30


class Application(BaseApplication):  # type: ignore[misc]
    def load_config(self) -> None: ...


class Watch:
    """Arbiter and one process, by a clock of their own."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.now = 1_000.0
        self.ended: list[int] = []
        monkeypatch.setattr("time.monotonic", lambda: self.now)
        self._beat = self.now
        self._arbiter = PatientArbiter(Application())
        process = SimpleNamespace(aborted=False, tmp=SimpleNamespace(last_update=lambda: self._beat))
        monkeypatch.setattr(self._arbiter, "WORKERS", {7: process})
        monkeypatch.setattr(self._arbiter, "kill_worker", lambda pid, signum: self.ended.append(signum))

    def passes(self, seconds: int, *, beats: bool) -> None:
        for _ in range(seconds):
            self.now += 1
            self._beat = self.now if beats else self._beat
            self._arbiter.murder_workers()


@pytest.fixture
def watch(monkeypatch: pytest.MonkeyPatch) -> Watch:
    return Watch(monkeypatch)


def test_a_process_that_hangs_is_ended(watch: Watch) -> None:
    watch.passes(HANGS_AFTER + 5, beats=True)
    watch.passes(HANGS_AFTER, beats=False)
    assert watch.ended == []
    watch.passes(1, beats=False)
    assert watch.ended == [signal.SIGABRT]


def test_none_is_ended_for_a_pause_of_all_of_them(watch: Watch) -> None:
    watch.passes(HANGS_AFTER + 5, beats=True)
    for _ in range(3):
        watch.now += 2 * HANGS_AFTER
        watch.passes(10, beats=False)  # it gets a turn after the arbiter
        watch.passes(10, beats=True)
    assert watch.ended == []


def test_one_that_hangs_after_a_pause_is_ended(watch: Watch) -> None:
    watch.passes(HANGS_AFTER + 5, beats=True)
    watch.now += 2 * HANGS_AFTER
    watch.passes(HANGS_AFTER + 5, beats=False)
    assert signal.SIGABRT in watch.ended


def test_what_keeps_gunicorn_from_running_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(server: WebServer) -> None:
        raise RuntimeError("the heartbeat cannot be written")

    monkeypatch.setattr("web.server.PatientArbiter", fail)
    settings = Settings()
    catalog, journal = Catalog(BUNDLES, settings.default_model), Journal("INFO", lambda text: None)
    server = WebServer(settings, ApiKeys(""), catalog, journal, "127.0.0.1", 8000)
    with pytest.raises(SystemExit, match=r"^web: the heartbeat cannot be written$"):
        server.run()
