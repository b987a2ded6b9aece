"""Signatures are those of Standard Webhooks, one for each secret that is valid."""

import os
from datetime import UTC, datetime
from pathlib import Path

import pytest
from standardwebhooks import Webhook

from jobs.errors import InvalidSettings
from jobs.settings import Settings
from web.webhooks.secrets import WebhookSecrets, new_secret, parse_secrets, signature_of

SECRET = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
ENTRY = f"ada:{SECRET}"


def test_the_example_of_the_specification_has_its_signature() -> None:
    at = datetime.fromtimestamp(1614265330, UTC)
    [signer] = parse_secrets(ENTRY)["ada"]
    signature = signature_of([signer], "msg_p5jXN8AQM9LWM0D4loKWxJek", at, b'{"test": 2432232314}')
    assert signature == "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="


def test_while_a_secret_is_changed_receivers_with_either_accept_the_message() -> None:
    new = new_secret()
    signers = parse_secrets(f"{ENTRY},ada:{new}")["ada"]
    now = datetime.now(UTC)
    headers = {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": signature_of(signers, "msg_1", now, b'{"type":"x"}'),
    }
    for secret in (SECRET, new):
        assert Webhook(secret).verify(b'{"type":"x"}', headers) == {"type": "x"}


@pytest.mark.parametrize(
    "entry",
    [
        SECRET,
        f"Ada:{SECRET}",
        "ada:MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "ada:whsec_c2hvcnQ=",
        "ada:whsec_====",
        "ada:",
    ],
)
def test_a_wrong_entry_stops_the_start_and_is_not_repeated(entry: str) -> None:
    with pytest.raises(InvalidSettings, match="name:whsec_") as refused:
        parse_secrets(entry)
    assert SECRET not in str(refused.value)


def test_a_file_of_secrets_is_read_again_when_it_changes(tmp_path: Path) -> None:
    file = tmp_path / "secrets"
    file.write_text(f"{ENTRY}\n")
    secrets = WebhookSecrets(Settings(webhook_secrets_file=str(file)))
    assert len(secrets.of("ada")) == 1
    file.write_text(f"{ENTRY}\n# since May\nada:{new_secret()}\nbob:{new_secret()}  # new\n")
    os.utime(file, (1, 1))
    assert (len(secrets.of("ada")), len(secrets.of("bob"))) == (2, 1)


def test_a_file_that_became_wrong_leaves_the_secrets_as_they_were(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    file = tmp_path / "secrets"
    file.write_text(ENTRY)
    secrets = WebhookSecrets(Settings(webhook_secrets_file=str(file)))
    file.write_text("nonsense")
    os.utime(file, (1, 1))
    assert len(secrets.of("ada")) == 1
    file.unlink()
    assert len(secrets.of("ada")) == 1
    assert [record.message for record in caplog.records] == ["webhook_secrets_not_read"] * 2
    assert all(
        record.__dict__["error"].startswith("PAYGRADE_WEBHOOK_SECRETS_FILE: ") for record in caplog.records
    )


def test_web_does_not_start_without_a_file_that_is_set(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match="PAYGRADE_WEBHOOK_SECRETS_FILE"):
        WebhookSecrets(Settings(webhook_secrets_file=str(tmp_path / "none")))
