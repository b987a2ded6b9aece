"""Messages become batches: each once, none lost, and nothing else."""

import json
from collections.abc import Callable
from typing import Any
from urllib.parse import quote_plus

import gevent
import gevent.event
import pytest

from jobs.errors import StoreUnavailable
from jobs.metrics import Metrics
from jobs.supervision import Supervisor
from tests.unit.web.events.created import ETAG, created
from tests.unit.web.events.fakes import FakeQueue, message
from web.events.marks import EventMarks
from web.events.queue import VISIBLE_AGAIN_SECONDS
from web.events.reader import AT_ONCE, LONGEST_WAIT_SECONDS, EventReader
from web.own_api import Refused

JOB = "batch_019366e0-0000-7000-8000-000000000000"
FILE = "salaries/input/people.csv"
KEEPING_PAUSE = VISIBLE_AGAIN_SECONDS / 3


class Service:
    """What a reader needs. `refusals` are raised in turn before a batch is accepted."""

    def __init__(self, redis: Any, *messages: str) -> None:
        self.queue = FakeQueue(*(message(body, number) for number, body in enumerate(messages, start=1)))
        self.queue.etags[FILE] = ETAG
        self.refusals: list[Exception] = []
        self.posted: list[tuple[dict[str, Any], str, str]] = []
        self.pauses: list[float] = []
        self.on_pause: Callable[[], None] = lambda: None
        self.metrics = Metrics(redis)
        self.marks = EventMarks(redis)
        supervisor = Supervisor(self.metrics, gevent.spawn, gevent.sleep)
        self.reader = EventReader(self.queue, self.post, self.marks, lambda: True, supervisor, self._sleep)

    def post(self, body: dict[str, Any], key: str, request_id: str) -> str:
        if self.refusals:
            raise self.refusals.pop(0)
        self.posted.append((body, key, request_id))
        return JOB

    def _sleep(self, seconds: float) -> None:
        self.pauses.append(seconds)
        self.on_pause()
        gevent.sleep(0)

    def read(self) -> "Service":
        for each in self.queue.receive(10):
            self.reader.handle(each)
        return self

    def settled(self) -> list[tuple[str, str]]:
        return [call for call in self.queue.calls if call[0] != "keep"]

    def counted(self) -> dict[str, float]:
        self.metrics.flush()
        return {labels[0]: value for labels, value in self.metrics.read().get("event_messages", {}).items()}


def refused(status: int, detail: str = "no", retry_after: int = 0) -> Refused:
    return Refused(status, {"title": "Refused", "detail": detail}, retry_after)


def test_a_new_file_becomes_a_batch_and_its_message_is_deleted(redis: Any) -> None:
    service = Service(redis, created()).read()
    [(body, key, request_id)] = service.posted
    assert body["input"] == f"s3://{FILE}"
    assert (len(key), request_id) == (64, "message-1")
    assert service.settled() == [("delete", "message-1")]
    assert service.counted() == {"accepted": 1}


def test_a_copy_of_a_message_is_deleted(redis: Any) -> None:
    service = Service(redis, created(), created()).read()
    assert len(service.posted) == 1
    assert service.settled() == [("delete", "message-1"), ("delete", "message-2")]
    assert service.counted() == {"accepted": 1, "repeated": 1}


def test_a_message_that_could_not_be_deleted_is_the_same_batch_later(redis: Any) -> None:
    """As that of a web process that was killed after its batch was accepted."""
    service = Service(redis, created())
    service.queue.failing = 1
    service.read()
    assert len(service.posted) == 1
    assert service.settled()[-1] == ("delete", "message-1")
    assert service.counted() == {"accepted": 1}


def test_each_version_is_a_batch_of_its_own(redis: Any) -> None:
    service = Service(redis, created(), created(sequencer="617f08299329d18a")).read()
    assert len({key for _, key, _ in service.posted}) == 2


def test_a_version_that_was_replaced_or_deleted_is_left_to_the_newer_one(redis: Any) -> None:
    service = Service(redis, created(etag="f" * 32), created("input/gone.csv")).read()
    assert service.posted == []
    assert service.counted() == {"outdated": 2}


@pytest.mark.parametrize("key", ["input/a b+c.csv", "input/ä&ö.csv", "input/100%25.csv"])
def test_a_key_is_found_as_it_is_or_decoded(redis: Any, key: str) -> None:
    for sent in (key, quote_plus(key, safe="/")):
        service = Service(redis, created(sent, sequencer=sent))
        service.queue.etags[f"salaries/{key}"] = ETAG
        service.read()
        assert service.posted[0][0]["input"] == f"s3://salaries/{key}"


def test_a_message_of_ours_becomes_a_batch_without_a_look_at_s3(redis: Any) -> None:
    own = json.dumps({"paygrade": "batch", "key": "nightly 1", "batch": {"input": "s3://a/in/"}})
    service = Service(redis, own, own).read()
    assert [body for body, _, _ in service.posted] == [{"input": "s3://a/in/"}]


@pytest.mark.parametrize("status", [400, 404, 413, 415, 422])
def test_what_the_service_refuses_for_ever_is_given_up_with_the_reason(redis: Any, status: int) -> None:
    service = Service(redis, created())
    service.refusals = [refused(status, "no model of this name")]
    service.read()
    assert service.queue.given_up == [f"{status}: no model of this name"]
    assert service.settled() == [("give_up", "message-1")]
    assert service.counted() == {"given_up": 1}


def test_what_is_no_message_for_us_is_given_up(redis: Any) -> None:
    service = Service(redis, "not JSON").read()
    assert len(service.queue.given_up) == 1


def test_a_file_that_web_may_not_read_is_given_up(redis: Any) -> None:
    service = Service(redis, created())
    service.queue.forbidden = True
    assert service.read().queue.given_up == ["access to bucket salaries is denied"]


def test_the_reason_is_with_the_message_and_not_in_the_log(
    redis: Any, caplog: pytest.LogCaptureFixture
) -> None:
    service = Service(redis, created())
    service.refusals = [refused(422, "people.csv has no column years")]
    service.read()
    [record] = caplog.records
    assert (record.message, record.levelname) == ("event_given_up", "WARNING")
    assert "people" not in str(record.__dict__)


@pytest.mark.parametrize("status", [409, 429, 503])
def test_a_service_that_is_full_is_asked_again(redis: Any, status: int) -> None:
    service = Service(redis, created())
    service.refusals = [refused(status), refused(status), refused(status, retry_after=25)]
    service.read()
    assert len(service.posted) == 1
    assert [pause for pause in service.pauses if pause != KEEPING_PAUSE] == [1.0, 2.0, 25]
    assert service.settled()[-1] == ("delete", "message-1")


def test_a_store_that_is_away_is_waited_for(redis: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    service = Service(redis, created())
    known = service.marks.job_of
    failures = iter([StoreUnavailable(), StoreUnavailable()])

    def job_of(mark: str) -> str | None:
        for failure in failures:
            raise failure
        return known(mark)

    monkeypatch.setattr(service.marks, "job_of", job_of)
    assert len(service.read().posted) == 1


def test_the_message_is_kept_from_others_while_the_service_is_full(redis: Any) -> None:
    service = Service(redis, created())
    service.refusals = [refused(503)] * 20
    service.read()
    assert ("keep", "message-1") in service.queue.calls
    calls = len(service.queue.calls)
    gevent.sleep(0.01)
    assert len(service.queue.calls) == calls  # no longer than needed


def test_a_process_that_ends_leaves_the_message_to_others(redis: Any) -> None:
    service = Service(redis, created())
    service.refusals = [refused(503)] * 20
    service.on_pause = service.reader.stop
    service.read()
    assert service.posted == []
    assert service.settled()[-1] == ("release", "message-1")


def test_an_error_that_nobody_foresaw_leaves_the_message_to_the_queue(redis: Any) -> None:
    service = Service(redis, created())
    service.refusals = [refused(500)]
    service.read()
    assert service.settled() == []
    service.metrics.flush()
    assert ("event", "Refused") in service.metrics.read()["loop_errors"]


def test_a_full_service_receives_nothing(redis: Any) -> None:
    service = Service(redis, created())
    reader = service.reader
    reader._accepting = lambda: False
    service.on_pause = reader.stop
    reader.run()
    assert len(service.queue.waiting) == 1
    assert service.pauses == [1.0]


def test_a_message_that_waits_holds_up_no_other(redis: Any) -> None:
    service = Service(redis, *(created(sequencer=str(number)) for number in range(2 * AT_ONCE)))
    first, accepted = gevent.event.Event(), service.post

    def post(body: dict[str, Any], key: str, request_id: str) -> str:
        if request_id == "message-1":
            first.wait()
        return accepted(body, key, request_id)

    service.reader._post = post
    reading = gevent.spawn(service.reader.run)
    while len(service.posted) < 2 * AT_ONCE - 1:
        gevent.sleep(0)
    first.set()
    while len(service.posted) < 2 * AT_ONCE:
        gevent.sleep(0)
    reading.kill()


def test_a_process_has_no_more_messages_than_it_works_on(redis: Any) -> None:
    service = Service(redis, *(created(sequencer=str(number)) for number in range(3 * AT_ONCE)))
    service.refusals = [refused(503)] * 1_000
    reading = gevent.spawn(service.reader.run)
    while len(service.pauses) < AT_ONCE:
        gevent.sleep(0)
    assert len(service.queue.waiting) == 2 * AT_ONCE
    service.reader.stop()
    reading.kill()


def test_room_that_is_hours_away_is_looked_for_sooner(redis: Any) -> None:
    service = Service(redis, created())
    service.refusals = [refused(503, retry_after=20_000)]
    service.read()
    assert max(service.pauses) == LONGEST_WAIT_SECONDS
