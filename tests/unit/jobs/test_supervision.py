"""A loop that fails is logged, counted and started again, whatever the error was."""

import logging
from collections.abc import Callable

import pytest
from redis import Redis

from jobs.errors import StoreUnavailable
from jobs.metrics import LOOP_ERRORS, Metrics
from jobs.supervision import LOG_AGAIN_SECONDS, Supervisor


class Time:
    """A clock that moves while somebody sleeps."""

    def __init__(self) -> None:
        self.now = 0.0
        self.pauses: list[float] = []

    def __call__(self) -> float:
        return self.now

    def sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.now += seconds


@pytest.fixture
def time() -> Time:
    return Time()


@pytest.fixture
def supervisor(redis: Redis, time: Time) -> Supervisor:
    return Supervisor(Metrics(redis), lambda call, *arguments: call(*arguments), time.sleep, time)


def failing(times: int, error: Exception, before: Callable[[], None] = lambda: None) -> Callable[[], None]:
    """A loop that fails so many times, and then ends."""
    left = iter(range(times))

    def loop() -> None:
        before()
        if next(left, None) is not None:
            raise error

    return loop


def test_a_loop_is_started_again_until_it_ends(supervisor: Supervisor, time: Time) -> None:
    supervisor.start("loop", failing(6, ValueError("unforeseen")))
    assert time.pauses == [0.5, 1, 2, 4, 4, 4]


def test_after_a_longer_run_the_pause_is_short_again(supervisor: Supervisor, time: Time) -> None:
    def run_long() -> None:
        time.now += 10

    supervisor.start("loop", failing(3, ValueError("unforeseen"), run_long))
    assert time.pauses == [0.5, 0.5, 0.5]


def test_each_error_is_counted_and_one_a_minute_is_logged(
    supervisor: Supervisor, time: Time, caplog: pytest.LogCaptureFixture
) -> None:
    supervisor.start("loop", failing(5, ValueError("the row [2.5]")))
    supervisor.metrics.flush()
    assert supervisor.metrics.read()[LOOP_ERRORS.name] == {("loop", "ValueError"): 5}
    assert [record.message for record in caplog.records] == ["loop_failed"]
    assert "2.5" not in str(caplog.records[0].__dict__)
    time.now += LOG_AGAIN_SECONDS
    supervisor.report("loop", ValueError())
    supervisor.report("other", ValueError())
    supervisor.report("loop", TypeError())
    assert len(caplog.records) == 4


def test_a_store_that_is_away_is_a_warning(supervisor: Supervisor, caplog: pytest.LogCaptureFixture) -> None:
    supervisor.start("loop", failing(2, StoreUnavailable()))
    [record] = caplog.records
    assert (record.message, record.levelno) == ("store_unavailable", logging.WARNING)


def test_the_end_of_the_process_is_not_an_error(supervisor: Supervisor) -> None:
    def end() -> None:
        raise SystemExit

    with pytest.raises(SystemExit):
        supervisor.start("loop", end)
