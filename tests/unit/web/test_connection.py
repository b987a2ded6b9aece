"""Request headers, of which ambiguous ones are refused, and the headers of every response."""

from io import BufferedReader, BytesIO
from typing import Any

import pytest

from tests.unit.web.batch_calls import posted
from tests.unit.web.site import Site
from web.connection import MAX_FIELDS, Connection, RequestHeaders
from web.openapi.docs_page import FILES


def header(*lines: bytes) -> RequestHeaders:
    return RequestHeaders(BytesIO(b"".join(line + b"\r\n" for line in lines) + b"\r\n"))


def test_field_names_ignore_case_and_become_variables() -> None:
    read = header(b"HOST: here", b"Prefer:  wait=1 ", b"Content-Type: application/json", b"X-A: 1", b"x-a: 2")
    assert read.status == ""
    assert (read.get("host"), read.get("pReFeR"), read.get("content-type")) == (
        "here",
        "wait=1",
        "application/json",
    )
    assert dict(read.variables()) == {
        "HTTP_HOST": "here",
        "HTTP_PREFER": "wait=1",
        "CONTENT_TYPE": "application/json",
        "HTTP_X_A": "1,2",
    }


def test_a_name_with_an_underscore_cannot_pass_for_another() -> None:
    assert dict(header(b"X_Request_ID: forged").variables()) == {}


@pytest.mark.parametrize(
    "lines",
    [
        [b"no colon"],
        [b"Name : space before the colon"],
        [b"Folded: one", b" two"],
        [b": no name"],
        [b"Control: a\x01b"],
        [b"Nothing: a\x00b"],
        [b"Return: a\rb"],
        [b"Host: here", b"Host: there"],
        [b"Content-Length: 3", b"Content-Length: 3"],
        [b"Content-Length: +3"],
        [b"Content-Length: 3, 3"],
        ["Content-Length: ٣".encode()],
        [b"Transfer-Encoding: gzip"],
        [b"Transfer-Encoding: chunked", b"Transfer-Encoding: chunked"],
        [b"Transfer-Encoding: chunked", b"Content-Length: 3"],
        [b"Long: " + b"x" * 9_000],
        [b"X: 1"] * (MAX_FIELDS + 1),
    ],
    ids=lambda lines: repr(lines[0][:24]),
)
def test_ambiguous_headers_are_refused(lines: list[bytes]) -> None:
    assert header(*lines).status


def test_a_line_that_ends_in_a_bare_line_feed_is_refused() -> None:
    assert RequestHeaders(BytesIO(b"Host: here\nX: 1\r\n\r\n")).status


class PlayedSocket:
    """A connection on which this has been sent, and then nothing more."""

    def __init__(self, sent: bytes) -> None:
        self._sent = sent
        self.received = b""

    def makefile(self, *_: Any) -> BufferedReader:
        return BufferedReader(BytesIO(self._sent))

    def sendall(self, data: bytes) -> None:
        self.received += data

    def shutdown(self, how: int) -> None:
        """Nothing follows anyway."""

    def recv(self, size: int) -> bytes:
        return b""

    def close(self) -> None:
        """There is nothing to close."""


class PlayedServer:
    def __init__(self, site: Site) -> None:
        self.application = site.web.app

    def get_environ(self) -> dict[str, Any]:
        return {"wsgi.errors": None, "wsgi.url_scheme": "http", "SERVER_NAME": "x", "SERVER_PORT": "1"}


def received(site: Site, sent: bytes) -> tuple[str, dict[str, str], bytes]:
    """Status, headers by their names in lower case, and body of the first response."""
    sock = PlayedSocket(sent)
    Connection(site.web.connections, sock, ("127.0.0.1", 1), PlayedServer(site)).handle()
    head, _, body = sock.received.partition(b"\r\n\r\n")
    status, *lines = head.decode().split("\r\n")
    fields = [line.split(": ", 1) for line in lines]
    assert len({name.lower() for name, _ in fields}) == len(fields), "a header is there twice"
    return status.split(" ", 1)[1], {name.lower(): value for name, value in fields}, body


def get(path: str) -> bytes:
    return f"GET {path} HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n".encode()


POST = b"POST /v1/predictions HTTP/1.1\r\nHost: localhost\r\nContent-Length: %d\r\n\r\n%b"
ANYTHING = {
    "a page": get("/docs"),
    "a script": get("/docs/start.js"),
    "the document": get("/openapi.json"),
    "the page": get("/"),
    "models": get("/v1/models"),
    "health": get("/healthz"),
    "no route": get("/nowhere"),
    "another host": get("/").replace(b"localhost", b"evil.example"),
    "a prediction": POST % (26, b'{"inputs": {"years": 2.5}}'),
    "a refusal": POST % (2, b"{}"),
    "a body cut off": POST % (9, b"{}"),
    "no HTTP": b"SSH-2.0-OpenSSH_9.6\r\n\r\n",
    "a bad chunk": POST.replace(b"Content-Length: %d", b"Transfer-Encoding: chunked") % b"zz\r\n",
}


@pytest.mark.parametrize("name", ANYTHING)
def test_every_response_has_the_security_headers_and_no_banner(site: Site, name: str) -> None:
    status, headers, _ = received(site, ANYTHING[name])
    assert headers["x-content-type-options"] == "nosniff"
    assert headers["x-frame-options"] == "DENY"
    assert headers["referrer-policy"] == ("same-origin" if name == "the page" else "no-referrer")
    assert headers["cross-origin-resource-policy"] == "same-origin"
    assert headers["cross-origin-opener-policy"] == "same-origin"
    assert "frame-ancestors 'none'" in headers["content-security-policy"]
    assert "unsafe" not in headers["content-security-policy"]
    assert headers["cache-control"] == ("public, max-age=3600" if name == "a script" else "no-store")
    assert not {"server", "x-powered-by"} & headers.keys()
    assert not status.startswith("5")


def test_the_page_may_load_what_it_names_and_holds_no_script_of_its_own(site: Site) -> None:
    _, headers, page = received(site, get("/docs"))
    assert "script-src 'self'" in headers["content-security-policy"]
    assert b"<script>" not in page
    assert b" style=" not in page
    assert b" onload=" not in page
    for file in FILES:
        assert received(site, get(f"/docs/{file}"))[1]["x-content-type-options"] == "nosniff"


def test_results_are_saved_under_their_name(site: Site) -> None:
    path = posted(site)
    site.score_batches()
    job_id = path.rpartition("/")[2]
    for name, ending in (("results", "result.csv"), ("errors", "errors.ndjson")):
        disposition = site.client.get(f"{path}/{name}").headers["Content-Disposition"]
        assert disposition == f'attachment; filename="{job_id}-{ending}"'


@pytest.mark.parametrize("size", [b"", b"zz", b"-1", b"f" * 17, b"5;" + b"x" * 9_000])
def test_a_chunk_without_a_usable_size_is_400(site: Site, size: bytes) -> None:
    head = b"POST /v1/predictions HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n"
    status, _, _ = received(site, head + size + b"\r\n{}\r\n0\r\n\r\n")
    assert status.startswith("400")


@pytest.mark.parametrize("path", ["/v1/batches", "/v1/predictions/x", "/v1/predictions", "/docs"])
@pytest.mark.parametrize("method", ["GET", "POST"])
def test_a_query_that_is_not_utf_8_is_no_failure(site: Site, method: str, path: str) -> None:
    line = f"{method} {path}?wait=\xc3&a=%ff HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n"
    status, _, _ = received(site, line.encode("latin-1"))
    assert not status.startswith("5")
