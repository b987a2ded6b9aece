"""Answers that are lost or late: a request is sent again where that is safe, and never for too long."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from io import BytesIO
from pathlib import Path

import httpx
import pytest
from paygrade import (
    AsyncClient,
    Conflict,
    ConnectionCut,
    InvalidRequest,
    NoAnswer,
    NotFound,
    ServiceBusy,
    Unreachable,
)

from tests.asynchronous import run
from tests.unit.client.any_client import HandTurnedClock
from tests.unit.client.conftest import Connect
from tests.unit.client.played_service import (
    ABSENT,
    BATCH_ID,
    CUT,
    DONE,
    ID,
    QUEUED,
    PlayedAnswer,
    PlayedService,
    batch,
    prediction,
    problem,
)


def keys_of(service: PlayedService) -> set[str]:
    return {request.headers["Idempotency-Key"] for request in service.sent if request.method == "POST"}


def test_a_cut_connection_repeats_the_post_with_the_same_key(connect: Connect) -> None:
    clock = HandTurnedClock()
    service = PlayedService(CUT, problem(429, "too many rows", retry_after=7), QUEUED)
    connect(service, clock).submit({"years": 2.5})
    assert len(keys_of(service)) == 1
    assert clock.pauses == [0.5, 7]


def test_two_posts_have_two_keys(connect: Connect) -> None:
    service = PlayedService(QUEUED)
    client = connect(service)
    client.submit({"years": 2.5})
    client.submit({"years": 2.5})
    assert len(keys_of(service)) == 2


def test_a_post_is_not_repeated_beyond_its_deadline(connect: Connect) -> None:
    clock = HandTurnedClock()
    with pytest.raises(ServiceBusy):
        connect(PlayedService(problem(503, "full", retry_after=40)), clock).predict({}, wait=60)
    assert clock.pauses == [40]


def test_pauses_grow_where_the_service_names_none(connect: Connect) -> None:
    clock = HandTurnedClock()
    with pytest.raises(ConnectionCut):
        connect(PlayedService(CUT), clock).predict({}, wait=30)
    assert clock.pauses == [0.5, 1, 2, 4, 8, 8]


@pytest.mark.parametrize(("named", "longest"), [(0, 0.5), (7, 7.7), (59.9, 60)])
def test_chance_makes_a_pause_longer_and_never_shorter_nor_too_long(
    connect: Connect, named: float, longest: float
) -> None:
    until = datetime.now(UTC) + timedelta(seconds=named)
    header = str(named) if isinstance(named, int) else format_datetime(until, usegmt=True)
    clock = HandTurnedClock()
    service = PlayedService(PlayedAnswer(503, b"", {"Retry-After": header}), QUEUED)
    connect(service, clock, chance=1).submit({}, timeout=60)
    [pause] = clock.pauses
    assert named - 2 <= pause <= longest


def test_a_service_that_cannot_be_connected_to_is_tried_for_as_long_as_web_restarts(connect: Connect) -> None:
    clock = HandTurnedClock()
    assert connect(PlayedService(ABSENT, ABSENT, QUEUED), clock).submit({})["status"] == "queued"
    with pytest.raises(Unreachable, match="connection refused"):
        connect(PlayedService(ABSENT), clock).submit({"years": 2.5})
    assert clock.pauses == [0.5, 1, 0.5, 1]


def test_an_accepted_job_is_asked_for_while_the_service_restarts(connect: Connect) -> None:
    clock = HandTurnedClock()
    absent = [ABSENT] * 5
    assert connect(PlayedService(*absent, CUT, DONE), clock).wait(ID)["status"] == "succeeded"
    assert sum(clock.pauses) > 15


def test_a_service_that_wakes_refuses_then_accepts_and_takes_long(connect: Connect) -> None:
    clock = HandTurnedClock()
    waking = problem(503, "a worker is being started", retry_after=20)
    later = PlayedAnswer(200, prediction("queued"), {"Retry-After": "30"})
    service = PlayedService(waking, waking, QUEUED, later, DONE)
    assert connect(service, clock).predict({"years": 2.5}, wait=90) == {"prediction": 260.00012}
    assert clock.pauses == [20, 20, 30]


def test_a_post_that_still_arrives_from_before_is_waited_for(connect: Connect) -> None:
    arriving = problem(409, "a request with this Idempotency-Key is still arriving; wait for it")
    service = PlayedService(CUT, arriving, PlayedAnswer(202, batch("validating")))
    assert connect(service).upload(BytesIO(b"years\n1\n"))["status"] == "validating"
    with pytest.raises(Conflict):
        connect(PlayedService(arriving)).upload(BytesIO(b"years\n1\n"))


@pytest.mark.parametrize("status", [400, 401, 404, 413, 415, 422, 500])
def test_what_cannot_be_otherwise_the_next_time_is_not_repeated(connect: Connect, status: int) -> None:
    service = PlayedService(problem(status, "no"), DONE)
    with pytest.raises(Exception, match="no"):
        connect(service).submit({})
    assert len(service.sent) == 1


def test_a_cancel_whose_answer_was_lost_has_canceled(connect: Connect) -> None:
    late = problem(409, "only a prediction that is queued can be canceled; this one is canceled")
    service = PlayedService(CUT, late, PlayedAnswer(200, prediction("canceled")))
    with pytest.raises(Conflict):
        connect(PlayedService(late)).cancel(ID)
    with pytest.raises(Conflict):
        connect(PlayedService(CUT, late, DONE)).cancel(ID)
    assert connect(service).cancel(ID)["status"] == "canceled"


def test_a_delete_whose_answer_was_lost_has_deleted(connect: Connect) -> None:
    gone = problem(404, "there is no such prediction")
    connect(PlayedService(CUT, gone)).delete(ID)
    with pytest.raises(NotFound):
        connect(PlayedService(gone)).delete(ID)


def test_an_open_file_is_sent_again_from_where_it_was(connect: Connect) -> None:
    file = BytesIO(b"a note\nyears\n1\n")
    file.readline()
    service = PlayedService(problem(503, "full", retry_after=0), PlayedAnswer(202, batch("validating")))
    connect(service).upload(file)
    assert [request.content for request in service.sent] == [b"years\n1\n"] * 2
    assert {request.headers["Content-Length"] for request in service.sent} == {"8"}


class Pipe(BytesIO):
    def seekable(self) -> bool:
        return False


def test_a_pipe_is_sent_in_chunks_and_once(connect: Connect) -> None:
    service = PlayedService(problem(503, "full", retry_after=0))
    with pytest.raises(ServiceBusy):
        connect(service).upload(Pipe(b"years\n1\n"))
    [request] = service.sent
    assert request.content == b"years\n1\n"
    assert request.headers["Transfer-Encoding"] == "chunked"


class BreaksOff(httpx.SyncByteStream, httpx.AsyncByteStream):
    """A body of which only the start arrives."""

    def __init__(self, start: bytes) -> None:
        self._start = start

    def __iter__(self) -> Iterator[bytes]:
        yield self._start
        raise CUT

    async def __aiter__(self) -> AsyncIterator[bytes]:
        yield self._start
        raise CUT


class BreakingService(PlayedService):
    """Sends so many bytes of a file at a time, and then breaks off."""

    def __init__(self, file: bytes, at_once: int, ranges: bool = True) -> None:
        super().__init__(QUEUED)
        self._file = file
        self._at_once = at_once
        self._ranges = ranges

    def _next_answer(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        start = int(request.headers.get("Range", "bytes=0-")[6:].partition("-")[0]) if self._ranges else 0
        rest = self._file[start:]
        status = 206 if "Range" in request.headers and self._ranges else 200
        stream = BreaksOff(rest[: self._at_once]) if len(rest) > self._at_once else httpx.ByteStream(rest)
        return httpx.Response(status, headers={"ETag": '"batch"'}, stream=stream)


def test_results_that_break_off_are_taken_up_where_they_broke_off(connect: Connect, tmp_path: Path) -> None:
    service, clock = BreakingService(b"0123456789", at_once=4), HandTurnedClock()
    connect(service, clock).download(BATCH_ID, tmp_path / "results.csv")
    assert (tmp_path / "results.csv").read_bytes() == b"0123456789"
    ranges = [(request.headers.get("Range"), request.headers.get("If-Range")) for request in service.sent]
    assert ranges == [(None, None), ("bytes=4-", '"batch"'), ("bytes=8-", '"batch"')]
    assert clock.pauses == [0.5, 0.5]


def test_a_file_that_cannot_be_taken_up_is_not_joined_of_two_starts(connect: Connect, tmp_path: Path) -> None:
    service = BreakingService(b"0123456789", at_once=4, ranges=False)
    with pytest.raises(NoAnswer, match="cannot go on where it broke off"):
        connect(service).download(BATCH_ID, tmp_path / "results.csv")
    assert list(tmp_path.iterdir()) == []


def test_a_refusal_after_a_lost_answer_is_raised_as_it_is(connect: Connect) -> None:
    with pytest.raises(InvalidRequest):
        connect(PlayedService(CUT, problem(422, "invalid"))).submit({})


class CountingService(PlayedService):
    """Answers once every request that can be under way is."""

    def __init__(self) -> None:
        super().__init__(DONE)
        self.under_way = 0
        self.most = 0

    async def handle_async_request(self, request: httpx.Request) -> httpx.Response:
        self.under_way += 1
        self.most = max(self.most, self.under_way)
        for _ in range(10):  # the others begin meanwhile
            await asyncio.sleep(0)
        self.under_way -= 1
        return await super().handle_async_request(request)


def test_a_thousand_calls_at_once_are_a_hundred_requests_at_once() -> None:
    service = CountingService()

    async def story() -> None:
        async with AsyncClient(transport=service) as client:
            await asyncio.gather(*(client.predict({"years": 2.5}) for _ in range(1000)))

    run(story())
    assert (service.most, len(service.sent)) == (100, 1000)
