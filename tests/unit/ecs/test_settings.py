"""--set reaches every setting of .env.example that is neither a secret nor made by `up`."""

import os
import re
from pathlib import Path

import pytest

from ecs import settings
from ecs.errors import InvalidUsage
from jobs.errors import InvalidSettings
from jobs.settings import PREFIX, Settings, load_settings

DOCUMENTED = {
    name
    for name in re.findall(r"^([A-Z0-9_]+)=", Path(".env.example").read_text(), re.MULTILINE)
    if name == "REDIS_URL" or name.startswith(PREFIX)
}
GOOD = {
    "PAYGRADE_ALLOWED_HOSTS": "pay.example.com,*.example.org",
    "PAYGRADE_DEFAULT_MODEL": "wages@champion",
    "PAYGRADE_DIRECT_FILES": "false",
    "PAYGRADE_EVENT_JOBS": "all",
    "PAYGRADE_LOG_LEVEL": "DEBUG",
    "PAYGRADE_QUEUES": "batches",
    "PAYGRADE_S3_ALLOW": "s3://data/in,s3://more",
    "PAYGRADE_WEBHOOK_HOSTS": "hooks.internal:8443",
    "PAYGRADE_MAX_MEMORY_PERCENT": "80",
    "PAYGRADE_MAX_MEMORY_PERCENT_PER_KEY": "100",
}
MANY = "5000"


def accepted_by_the_code(name: str, value: str, monkeypatch: pytest.MonkeyPatch) -> bool:
    for other in list(os.environ):
        if other.startswith(PREFIX):
            monkeypatch.delenv(other)
    monkeypatch.setenv(name, value)
    try:
        load_settings()
    except InvalidSettings:
        return False
    return True


def test_every_setting_can_be_set_or_is_refused_with_what_to_do_instead() -> None:
    known = {PREFIX + name.upper() for name in Settings.model_fields} - {f"{PREFIX}REDIS_URL"} | {"REDIS_URL"}
    groups = [set(settings.settable()), set(settings.SECRETS), set(settings.FIXED)]
    assert set.union(*groups) == known == DOCUMENTED
    assert sum(map(len, groups)) == len(known)


@pytest.mark.parametrize("name", settings.settable())
def test_a_setting_becomes_a_parameter_that_the_code_accepts(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    value = GOOD.get(name, MANY)
    assert settings.setting_parameters([f"{name}={value}"]) == {settings.parameter_of(name): value}
    assert accepted_by_the_code(name, value, monkeypatch)
    assert settings.setting_of(settings.parameter_of(name)) == name


@pytest.mark.parametrize("name", settings.settable())
def test_what_the_code_refuses_at_its_start_is_refused_before(
    name: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    for value in ("x y", "-1", "many!", "101%"):
        if not accepted_by_the_code(name, value, monkeypatch):
            with pytest.raises(InvalidUsage, match=f"--set {name}={re.escape(value)}"):
                settings.setting_parameters([f"{name}={value}"])


def test_without_a_value_a_setting_has_its_default_again() -> None:
    assert settings.setting_parameters(["PAYGRADE_MAX_BODY="]) == {"MaxBody": ""}


@pytest.mark.parametrize("name", settings.SECRETS)
def test_a_secret_is_refused_and_not_repeated(name: str) -> None:
    with pytest.raises(InvalidUsage) as refused:
        settings.setting_parameters([f"{name}=hunter2"])
    assert "hunter2" not in f"{refused.value}{refused.value.next_step}"


def test_an_unknown_setting_is_refused_with_the_nearest_name() -> None:
    with pytest.raises(InvalidUsage) as refused:
        settings.setting_parameters(["PAYGRADE_MAX_BATCH=3"])
    assert refused.value.next_step == "did you mean PAYGRADE_MAX_BATCHES?"


def test_the_roles_reach_exactly_the_places_of_callers_files() -> None:
    assert settings.arns_of_callers_files("s3://data/in,s3://data/out/,s3://more", "aws") == {
        "S3AllowBuckets": "arn:aws:s3:::data,arn:aws:s3:::more",
        "S3AllowObjects": "arn:aws:s3:::data/in/*,arn:aws:s3:::data/out/*,arn:aws:s3:::more/*",
    }
