"""Settings come from the environment; an invalid one is reported in one clear line."""

import os
from pathlib import Path

import pytest

from jobs.errors import InvalidSettings
from jobs.settings import PREFIX, Settings, load_settings

USABLE = {
    "redis_url": "redis://elsewhere:6379/1",
    "data": "/var/lib/paygrade",
    "bundles": "/srv/bundles",
    "default_model": "rent",
    "children": "3",
    "files": "s3://bucket/files",
    "batch_children": "11",
    "max_files_per_batch": "70",
    "child_memory": "1073741824",
    "queues": "batches",
    "max_file": "4096",
    "files_patience_seconds": "27",
    "max_batches": "13",
    "max_batches_per_key": "14",
    "s3_allow": "s3://bucket/inputs,s3://other/",
    "web_processes": "5",
    "max_body": "2048",
    "max_waiting": "17",
    "max_memory_percent": "61",
    "max_waiting_callers": "19",
    "max_memory_percent_per_key": "28",
    "max_open_requests_per_key": "29",
    "max_waiting_rows_per_key": "27",
    "rows_per_minute": "23",
    "retention_seconds": "3601",
    "lease_seconds": "29",
    "attempts": "7",
    "api_keys": "ada:0123",
    "api_keys_file": "keys.txt",
    "allowed_hosts": "a.example,*.b.example",
    "allow_anyone": "true",
    "webhook_secrets": "ada:whsec_0123",
    "webhook_secrets_file": "/run/secrets/webhooks",
    "webhook_hosts": "localhost:9000",
    "worker_service": "paygrade/worker",
    "worker_spot_service": "worker-spot",
    "least_workers": "2",
    "most_workers": "20",
    "warm": "Mon-Fri 08-18 Europe/Berlin",
    "within_seconds": "60",
    "idle_seconds": "300",
    "waking_wait_seconds": "55",
    "otlp_endpoint": "http://127.0.0.1:4318",
    "event_queue": "https://sqs.eu-central-1.amazonaws.com/123456789012/paygrade-events",
    "event_dead_queue": "https://sqs.eu-central-1.amazonaws.com/123456789012/paygrade-events-dead",
    "event_bus": "paygrade",
    "event_topic": "arn:aws:sns:eu-central-1:123456789012:paygrade-ended",
    "event_jobs": "all",
    "log_level": "DEBUG",
    "direct_files": "true",
}
NEEDED = {"direct_files": "files"}
"""Settings that are refused without another one."""


@pytest.fixture(autouse=True)
def empty_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [name for name in os.environ if name.startswith(PREFIX) or name == "REDIS_URL"]:
        monkeypatch.delenv(name)


def variable(field: str) -> str:
    return "REDIS_URL" if field == "redis_url" else PREFIX + field.upper()


@pytest.mark.parametrize("field", Settings.model_fields)
def test_every_setting_can_be_set_in_the_environment(monkeypatch: pytest.MonkeyPatch, field: str) -> None:
    default = getattr(load_settings(), field)
    for name in (field, NEEDED.get(field, field)):
        monkeypatch.setenv(variable(name), USABLE[name])
    value = getattr(load_settings(), field)
    assert value != default
    text = value.get_secret_value() if hasattr(value, "get_secret_value") else str(value)
    assert text == ("True" if value is True else USABLE[field])


@pytest.mark.parametrize("field", Settings.model_fields)
def test_an_empty_setting_means_the_default(monkeypatch: pytest.MonkeyPatch, field: str) -> None:
    default = getattr(load_settings(), field)
    monkeypatch.setenv(variable(field), "")
    assert getattr(load_settings(), field) == default


@pytest.mark.parametrize("name", ["PAYGRADE_LEASE", "PAYGRADE_REDIS_URL", "PAYGRADE_"])
def test_an_unknown_setting_is_named(monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setenv(name, "1")
    with pytest.raises(InvalidSettings, match=rf"^{name} is not a setting; .*\.env\.example") as refusal:
        load_settings()
    assert "\n" not in str(refusal.value)


@pytest.mark.parametrize("name", ["paygrade_attempts", "Paygrade_Attempts", "redis_url", "paygrade_url"])
def test_a_setting_in_lower_case_is_refused_with_its_right_spelling(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv(name, "7")
    with pytest.raises(InvalidSettings, match=f"^{name} is not a setting; write {name.upper()}$"):
        load_settings()


def test_an_unknown_setting_in_lower_case_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("paygrade_lease", "7")
    with pytest.raises(InvalidSettings, match=r"^paygrade_lease is not a setting; .*\.env\.example"):
        load_settings()


def test_the_settings_of_the_client_are_ignored(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAYGRADE_URL", "nowhere")
    monkeypatch.setenv("PAYGRADE_API_KEY", "secret")
    assert load_settings() == Settings()


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("children", "0"),
        ("max_memory_percent", "101"),
        ("attempts", "three"),
        ("lease_seconds", "1.5"),
        ("retention_seconds", "59"),
        ("allow_anyone", "perhaps"),
        ("log_level", "LOUD"),
        ("queues", "predictions, batches"),
        ("queues", "batches,batches"),
        ("redis_url", "elsewhere:6379"),
        ("redis_url", "http://elsewhere"),
    ],
)
def test_an_invalid_setting_is_named_in_one_line(
    monkeypatch: pytest.MonkeyPatch, field: str, value: str
) -> None:
    monkeypatch.setenv(variable(field), value)
    with pytest.raises(InvalidSettings, match=f"^{variable(field)}: ") as refusal:
        load_settings()
    assert "\n" not in str(refusal.value)


def test_a_default_that_follows_an_invalid_setting_is_not_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "elsewhere")
    with pytest.raises(InvalidSettings, match=r"^REDIS_URL: [^;]*$"):
        load_settings()


def test_all_invalid_settings_are_named_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAYGRADE_CHILDREN", "0")
    monkeypatch.setenv("PAYGRADE_ATTEMPTS", "0")
    with pytest.raises(InvalidSettings, match=r"^PAYGRADE_CHILDREN: .*; PAYGRADE_ATTEMPTS: .*"):
        load_settings()


def test_secrets_are_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://:hunter2@elsewhere")
    monkeypatch.setenv("PAYGRADE_API_KEYS", "ada:hunter2")
    settings = load_settings()
    assert "hunter2" not in f"{settings} {settings!r} {settings.model_dump_json()}"


def test_an_invalid_value_is_not_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PAYGRADE_ATTEMPTS", "hunter2")
    with pytest.raises(InvalidSettings) as refusal:
        load_settings()
    assert "hunter2" not in str(refusal.value)


def test_settings_do_not_change() -> None:
    with pytest.raises(ValueError, match="frozen"):
        load_settings().data = Path("elsewhere")
