"""One POST to a receiver: to the address that was checked, and never anywhere else."""

import datetime
import socket
import ssl
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from tests.receiver import WebhookReceiver, hang_up, slowly, with_status, without_end
from web.webhooks import posting
from web.webhooks.posting import Answer, post
from web.webhooks.receivers import Receiver, Receivers

pytestmark = pytest.mark.process

NAME = "hooks.example.com"


@pytest.fixture
def receiver() -> Iterator[WebhookReceiver]:
    with WebhookReceiver() as receiver:
        yield receiver


def loopback(host: str, port: int) -> Sequence[str]:
    return ["127.0.0.1"]


def own(url: str) -> Receiver:
    return Receivers("localhost").parse(url)


def send(url: str) -> Answer:
    return post(loopback, lambda: 0.0, own(url), {"webhook-id": "msg_1"}, b"{}")


def test_the_receiver_gets_the_body_the_headers_and_its_name(receiver: WebhookReceiver) -> None:
    assert send(f"{receiver.url}?team=pay") == Answer(status=204)
    [received] = receiver.received
    assert (received.path, received.body) == ("/hook?team=pay", b"{}")
    assert received.headers["host"] == f"localhost:{receiver.port}"
    assert received.headers["webhook-id"] == "msg_1"


def test_a_redirect_is_not_followed(receiver: WebhookReceiver) -> None:
    with WebhookReceiver() as other:
        receiver.behave = with_status(307, Location=other.url)
        assert send(receiver.url) == Answer(status=307)
        assert other.received == []


def test_no_proxy_of_the_environment_is_used(
    receiver: WebhookReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("http_proxy", "https_proxy", "all_proxy"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    assert send(receiver.url) == Answer(status=204)


@pytest.mark.parametrize(
    ("text", "seconds"), [("120", 120), ("Thu, 01 Jan 1970 00:01:40 GMT", 100), ("soon", None)]
)
def test_retry_after_is_seconds_or_a_date(receiver: WebhookReceiver, text: str, seconds: int | None) -> None:
    receiver.behave = with_status(503, Retry_After=text)
    assert send(receiver.url) == Answer(status=503, retry_after=seconds)


def test_a_receiver_that_hangs_up_gave_no_answer(receiver: WebhookReceiver) -> None:
    receiver.behave = hang_up
    assert send(receiver.url) == Answer(error="no_answer")


def test_an_answer_without_end_is_read_for_a_few_bytes(receiver: WebhookReceiver) -> None:
    receiver.behave = without_end
    assert send(receiver.url) == Answer(status=200)


def test_a_slow_receiver_is_given_up_in_time(
    receiver: WebhookReceiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(posting, "ANSWER_SECONDS", 0.1)
    receiver.behave = slowly(0.5)
    assert send(receiver.url) == Answer(error="timeout")


def test_a_port_where_nobody_listens_is_no_connection() -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        assert send(f"http://localhost:{closed.getsockname()[1]}") == Answer(error="connection_failed")


def test_a_name_that_nobody_knows_is_an_error_of_its_own() -> None:
    def resolve(host: str, port: int) -> Sequence[str]:
        raise socket.gaierror

    assert post(resolve, lambda: 0.0, own("https://localhost"), {}, b"") == Answer(error="unknown_host")


def test_a_name_that_comes_to_mean_a_private_address_is_not_connected_to(receiver: WebhookReceiver) -> None:
    rebound = Receivers().parse(f"https://{NAME}:{receiver.port}")
    assert post(loopback, lambda: 0.0, rebound, {}, b"") == Answer(error="forbidden_address")
    assert receiver.received == []


def test_the_name_is_looked_up_once(receiver: WebhookReceiver) -> None:
    asked = []

    def resolve(host: str, port: int) -> Sequence[str]:
        asked.append(host)
        return ["127.0.0.1"]

    post(resolve, lambda: 0.0, own(receiver.url), {}, b"{}")
    assert asked == ["localhost"]


@pytest.fixture
def certified(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[WebhookReceiver]:
    """A receiver with a certificate for NAME that this process trusts."""
    file = tmp_path / "certificate.pem"
    file.write_bytes(certificate(NAME))
    monkeypatch.setenv("SSL_CERT_FILE", str(file))
    posting._tls.cache_clear()
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(file)
    with WebhookReceiver(tls=tls) as receiver:
        yield receiver
    posting._tls.cache_clear()


def certificate(name: str) -> bytes:
    """A key and a certificate that it has signed itself."""
    key = ec.generate_private_key(ec.SECP256R1())
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    begin = datetime.datetime(2000, 1, 1, tzinfo=datetime.UTC)
    signed = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(begin)
        .not_valid_after(begin.replace(year=2100))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    return private + signed.public_bytes(serialization.Encoding.PEM)


def test_the_certificate_must_be_of_the_name_though_an_address_is_connected_to(
    certified: WebhookReceiver,
) -> None:
    right = Receivers(NAME).parse(f"https://{NAME}:{certified.port}/hook")
    assert post(loopback, lambda: 0.0, right, {}, b"{}") == Answer(status=204)
    wrong = Receivers("other.example.com").parse(f"https://other.example.com:{certified.port}/hook")
    assert post(loopback, lambda: 0.0, wrong, {}, b"{}") == Answer(error="tls_failed")
    assert [received.headers["host"] for received in certified.received] == [f"{NAME}:{certified.port}"]
