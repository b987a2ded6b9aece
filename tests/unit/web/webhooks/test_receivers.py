"""Which URLs a caller may name."""

import pytest

from web.webhooks.receivers import InvalidReceiver, Receivers


def test_a_url_is_taken_apart() -> None:
    receiver = Receivers().parse("https://Hooks.example.com:8443/paygrade?team=pay#part")
    assert (receiver.tls, receiver.host, receiver.port) == (True, "hooks.example.com", 8443)
    assert receiver.target == "/paygrade?team=pay"


def test_the_record_names_the_owner_and_the_receiver_first() -> None:
    receiver = Receivers().parse("https://hooks.example.com")
    assert receiver.stored("ada") == "ada|hooks.example.com:443 https://hooks.example.com"


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("hooks.example.com", "begin with https"),
        ("ftp://hooks.example.com", "begin with https"),
        ("http://hooks.example.com", "begin with https"),
        ("file:///etc/passwd", "begin with https"),
        ("https://", "name a host"),
        ("https://user@hooks.example.com", "neither a user"),
        ("https://user:password@hooks.example.com", "neither a user"),
        ("https://hooks.example.com\\@127.0.0.1", "neither a user"),
        ("https://a b", "visible ASCII"),
        ("https://a\r\nX-Evil: 1", "visible ASCII"),
        ("https://bücher.example", "visible ASCII"),
        ("https://hooks.example.com:0", "a port"),
        ("https://hooks.example.com:70000", "not a URL"),
        ("https://[::1", "not a URL"),
        ("https://" + "a" * 2_048, "2,048"),
    ],
)
def test_other_urls_are_refused_with_the_reason(url: str, reason: str) -> None:
    with pytest.raises(InvalidReceiver, match=reason):
        Receivers().parse(url)


@pytest.mark.parametrize("hosts", ["localhost", "localhost:9000", "other, LocalHost"])
def test_http_is_for_hosts_that_the_operator_names(hosts: str) -> None:
    receiver = Receivers(hosts).parse("http://localhost:9000/hook")
    assert not receiver.tls
    assert receiver.own_network


def test_a_host_that_is_named_with_its_port_has_no_other() -> None:
    with pytest.raises(InvalidReceiver, match="PAYGRADE_WEBHOOK_HOSTS"):
        Receivers("localhost:9000").parse("http://localhost:6379")
