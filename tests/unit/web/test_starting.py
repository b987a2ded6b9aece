"""The addresses that web may listen on; any other gives one clear line."""

import socket

import pytest

from jobs.errors import InvalidSettings
from web.starting import check_free, is_loopback


@pytest.mark.parametrize("host", ["localhost", "127.0.0.1", "127.9.9.9", "::1"])
def test_loopback_hosts_are_recognized(host: str) -> None:
    assert is_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "10.0.0.1", "example.org", "", "127.1", "[::1]"])  # noqa: S104
def test_other_hosts_are_not_loopback(host: str) -> None:
    assert not is_loopback(host)


@pytest.mark.process
def test_a_port_in_use_is_one_clear_line_and_a_free_port_none() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(
            InvalidSettings, match=f"^port {port} is in use; choose another, as in --port {port + 1}$"
        ):
            check_free("127.0.0.1", port)
    check_free("127.0.0.1", port)


@pytest.mark.process
@pytest.mark.parametrize(
    ("host", "port", "line"),
    [
        ("127.0.0.1", 65536, "there is no port 65536"),
        ("127.0.0.1", -1, "there is no port -1"),
        ("192.0.2.1", 8000, "cannot listen on 192.0.2.1, port 8000: "),
        ("no.such.host.invalid", 8000, "cannot listen on no.such.host.invalid"),
    ],
)
def test_an_address_that_cannot_be_used_is_one_clear_line(host: str, port: int, line: str) -> None:
    with pytest.raises(InvalidSettings, match=line):
        check_free(host, port)
