"""Request headers, of which ambiguous ones are refused."""

from io import BytesIO

import pytest

from web.connection import MAX_FIELDS, RequestHeaders


def header(*lines: bytes) -> RequestHeaders:
    return RequestHeaders(BytesIO(b"".join(line + b"\r\n" for line in lines) + b"\r\n"))


def test_field_names_ignore_case_and_become_variables() -> None:
    read = header(b"HOST: here", b"Prefer:  wait=1 ", b"Content-Type: application/json", b"X-A: 1", b"x-a: 2")
    assert read.status == ""
    assert (read.get("host"), read.get("pReFeR"), read.typeheader) == ("here", "wait=1", "application/json")
    assert dict(read.variables()) == {"HTTP_HOST": "here", "HTTP_PREFER": "wait=1", "HTTP_X_A": "1,2"}


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
