"""Long files: they go to the file store in parts, without the key."""

import json
import zlib
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pandas as pd
import pytest
from paygrade import ConnectionCut, JobFailed, NoAnswer
from paygrade.operations import uploads

from tests.unit.client.any_client import HandTurnedClock
from tests.unit.client.conftest import Connect
from tests.unit.client.played_service import CUT, PlayedAnswer, PlayedService, batch
from tests.unit.client.scoring_service import MODEL

STORE = "http://store.test"
FILE = b"years\n2.5\n4.5\n12.5\n"
PART = 8
UPLOAD_ID = "upload_01a20185-eaa8-7fbf-80d5-252d88bcb074"
UPLOAD = f"/v1/uploads/{UPLOAD_ID}"
TOO_LONG = PlayedAnswer(413, {"message": "Request Entity Too Large"})
"""As the front of a service says it, which knows no problem details."""


class ServiceWithStore(PlayedService):
    """`faults` are answers or errors of the store, by the number of the request that it gets."""

    def __init__(
        self, faults: dict[int, Any] | None = None, longest: int = 1000, has_uploads: bool = True
    ) -> None:
        super().__init__()
        self.put: dict[int, bytes] = {}
        self.sizes: list[int] = []
        self._faults = faults or {}
        self._longest = longest
        self._begun: dict[str, Any] = {}
        self._signed = 0
        self._has_uploads = has_uploads
        self.to_store: list[httpx.Request] = []

    def _next_answer(self, request: httpx.Request) -> httpx.Response:
        self.sent.append(request)
        if request.url.host == "store.test":
            return self._store(request)
        if len(request.content) > self._longest:
            return _fresh(TOO_LONG)
        match request.method, request.url.path:
            case "POST", "/v1/uploads" if self._has_uploads:
                self._begun = json.loads(request.content)
                return httpx.Response(201, json=self._upload())
            case "GET", path if path == UPLOAD:
                return httpx.Response(200, json=self._upload())
            case "POST", "/v1/batches":
                return httpx.Response(202, json=batch("validating"))
            case "GET", path if path.endswith("/results"):
                self._signed += 1
                return httpx.Response(307, headers={"Location": f"{STORE}/results?signed={self._signed}"})
            case "GET", "/v1/models":
                return httpx.Response(200, json={"data": [MODEL]})
            case "GET", path if path.startswith("/v1/models/"):
                return httpx.Response(200, json=MODEL)
            case "GET", path if path.startswith("/v1/batches/"):
                return httpx.Response(200, json=batch("failed", error="this is a test"))
        return httpx.Response(404, json={"detail": "there is no such route"})

    def _store(self, request: httpx.Request) -> httpx.Response:
        self.to_store.append(request)
        assert not {"authorization", "x-api-key", "idempotency-key"} & set(request.headers)
        fault = self._faults.get(len(self.to_store))
        if isinstance(fault, Exception):
            raise fault
        if fault:
            return _fresh(fault)
        if request.method == "GET":
            return _ranged(request)
        number = int(request.url.params["part"])
        self.put[number] = request.content
        return httpx.Response(200, headers={"ETag": "x"})

    def _upload(self) -> dict[str, Any]:
        self._signed += 1
        starts = range(0, self._begun["size"], PART)
        missing = [(number, at) for number, at in enumerate(starts, 1) if number not in self.put]
        parts = [
            {
                "number": number,
                "offset": at,
                "size": (size := min(PART, self._begun["size"] - at)),
                "method": "PUT",
                "url": f"{STORE}/input?part={number}&signed={self._signed}",
                "headers": {"Content-Length": str(size)},
            }
            for number, at in missing[:2]
        ]
        return {"id": UPLOAD_ID, "missing": len(missing), "parts": parts, "urls": {"self": UPLOAD}}

    @property
    def stored(self) -> bytes:
        return b"".join(self.put[number] for number in sorted(self.put))

    def posted(self, path: str) -> list[Any]:
        return [
            json.loads(each.content) for each in self.sent if (each.method, each.url.path) == ("POST", path)
        ]


def _fresh(answer: PlayedAnswer) -> httpx.Response:
    if isinstance(answer.body, bytes):
        return httpx.Response(answer.status, headers=answer.headers, content=answer.body)
    if isinstance(answer.body, dict):
        return httpx.Response(answer.status, json=answer.body)
    return httpx.Response(answer.status, headers=answer.headers, stream=answer.body)


def _ranged(request: httpx.Request) -> httpx.Response:
    start = int(request.headers.get("range", "bytes=0-").partition("=")[2].partition("-")[0])
    status = 206 if start else 200
    return httpx.Response(status, headers={"ETag": "e", "Content-Type": "text/csv"}, content=FILE[start:])


@pytest.fixture(autouse=True)
def _every_file_is_long(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(uploads, "LONG_BYTES", 10)


@pytest.fixture
def file(tmp_path: Path) -> Path:
    (tmp_path / "people.csv").write_bytes(FILE)
    return tmp_path / "people.csv"


def test_a_long_file_goes_to_the_store_in_parts(connect: Connect, file: Path) -> None:
    service, told = ServiceWithStore(), []
    job = connect(service).upload(
        file,
        explain=True,
        model="salary",
        idempotency_key="k",
        on_sent=lambda sent, size: told.append((sent, size)),
    )
    assert job["id"] == batch("validating")["id"]
    assert service.stored == FILE
    crc32 = f"{zlib.crc32(FILE):08x}"
    begun = {"size": len(FILE), "media_type": "text/csv", "name": "people.csv", "crc32": crc32}
    assert service.posted("/v1/uploads") == [begun]
    assert service.posted("/v1/batches") == [{"upload": UPLOAD_ID, "explain": True, "model": "salary"}]
    [post] = [each for each in service.sent if each.url.path == "/v1/batches"]
    assert post.headers["Idempotency-Key"] == "k"
    assert told == [(8, 19), (16, 19), (19, 19)]


def test_an_open_file_is_read_from_where_it_is(connect: Connect) -> None:
    opened = BytesIO(b"not this" + FILE)
    opened.seek(8)
    service = ServiceWithStore()
    connect(service).upload(opened)
    assert service.stored == FILE


@pytest.mark.parametrize(
    "fault",
    [
        CUT,
        PlayedAnswer(403, b"<Error><Code>AccessDenied</Code></Error>"),
        PlayedAnswer(503, b"<Error><Code>SlowDown</Code></Error>"),
    ],
    ids=["cut", "expired", "busy"],
)
def test_a_part_that_does_not_arrive_is_sent_again_to_a_new_address(
    connect: Connect, file: Path, fault: Any
) -> None:
    service, clock = ServiceWithStore({2: fault}), HandTurnedClock()
    connect(service, clock).upload(file)
    assert service.stored == FILE
    asked = [each.url.query.decode() for each in service.to_store]
    assert asked[:3] == ["part=1&signed=1", "part=2&signed=1", "part=2&signed=2"]
    assert clock.pauses == [0.5]


def test_what_the_store_refuses_for_good_is_said_without_the_secret_address(
    connect: Connect, file: Path
) -> None:
    refused = PlayedAnswer(404, b"<Error><Code>NoSuchUpload</Code></Error>")
    with pytest.raises(NoAnswer, match=r"^http://store\.test/input answers 404, NoSuchUpload$"):
        connect(ServiceWithStore({1: refused})).upload(file)


def test_addresses_that_are_refused_though_they_are_new_are_not_asked_for_again_and_again(
    connect: Connect, file: Path
) -> None:
    refused = PlayedAnswer(403, b"<Error><Code>AccessDenied</Code></Error>")
    service = ServiceWithStore(dict.fromkeys(range(1, 1000), refused))
    with pytest.raises(ConnectionCut, match="answers 403, AccessDenied"):
        connect(service).upload(file)
    assert len(service.to_store) == uploads.MOST_REFUSED


def test_a_store_that_never_answers_is_given_up(connect: Connect, file: Path) -> None:
    service = ServiceWithStore(dict.fromkeys(range(1, 1000), CUT))
    with pytest.raises(ConnectionCut, match=r"http://store\.test/input gave no complete answer"):
        connect(service, HandTurnedClock()).upload(file, timeout=20)


def test_a_service_without_uploads_gets_the_file_itself(connect: Connect, file: Path) -> None:
    service = ServiceWithStore(has_uploads=False)
    connect(service).upload(file)
    assert service.sent[-1].content == FILE


def test_a_shorter_file_is_uploaded_where_the_front_refuses_it(
    connect: Connect, file: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(uploads, "LONG_BYTES", 1_000_000)
    service = ServiceWithStore(longest=200)
    big = FILE + b"2.5\n" * 100
    file.write_bytes(big)
    connect(service).upload(file)
    assert service.stored == big


def test_a_table_is_uploaded_where_the_front_refuses_it(connect: Connect) -> None:
    service = ServiceWithStore(longest=200)
    with pytest.raises(JobFailed, match="this is a test"):
        connect(service).score(pd.DataFrame({"years": [2.5] * 50}))
    assert service.stored.splitlines() == [b'{"years":2.5}'] * 50


def test_results_are_fetched_from_where_the_service_says(connect: Connect) -> None:
    service, got = ServiceWithStore(), bytearray()
    connect(service).download(batch("succeeded"), got.extend)
    assert got == FILE
    assert [each.url.query.decode() for each in service.to_store] == ["signed=1"]


def test_what_breaks_off_is_taken_up_at_a_new_address(connect: Connect) -> None:
    class Broken(httpx.SyncByteStream, httpx.AsyncByteStream):
        def __iter__(self) -> Any:
            yield FILE[:7]
            raise CUT

        async def __aiter__(self) -> Any:
            yield FILE[:7]
            raise CUT

    service = ServiceWithStore({1: PlayedAnswer(200, Broken(), {"ETag": "e"})})
    got = bytearray()
    connect(service).download(batch("succeeded"), got.extend)
    assert got == FILE
    assert service.to_store[1].headers["Range"] == "bytes=7-"
    assert service.to_store[1].url.query == b"signed=2"
