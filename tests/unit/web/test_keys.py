"""Keys in the setting and in a file: their syntax, their scopes, and rotation without a restart."""

import logging
from pathlib import Path

import pytest
from botocore.exceptions import ClientError

from jobs.errors import InvalidSettings
from tests.unit.web.conftest import NewSite
from tests.unit.web.site import problem
from web import entry_files
from web.keys import Access, ApiKeys, digest, parse_keys

HASH = digest("secret")


@pytest.mark.parametrize(("setting", "some"), [("", False), (" , ", False), (f" ann:{HASH} ,", True)])
def test_without_entries_there_are_no_keys(setting: str, some: bool) -> None:
    assert bool(parse_keys(setting, "PAYGRADE_API_KEYS")) is some


@pytest.mark.parametrize(
    "entry",
    [
        *("secret", "ann:secret", f"ann:{HASH[:-1]}", f"ann:{HASH.upper()}", f"Ann:{HASH}", f":{HASH}"),
        *(f"ann:{HASH}:admin", f"ann {HASH}", f"{'a' * 33}:{HASH}", f"ann:{HASH};bob:{HASH}"),
    ],
)
def test_an_entry_that_cannot_be_read_stops_the_start_without_showing_it(entry: str) -> None:
    with pytest.raises(InvalidSettings, match=r"^PAYGRADE_API_KEYS: each entry is name:sha256") as refused:
        parse_keys(f"ann:{HASH},{entry}", "PAYGRADE_API_KEYS")
    assert "secret" not in str(refused.value)
    assert HASH[:-1] not in str(refused.value)


def entry(name: str, scopes: str = "") -> str:
    return f"{name}:{digest(name)}{scopes}"


@pytest.mark.parametrize(
    ("scopes", "given"),
    [
        ("", {Access.PREDICT}),
        (":predict", {Access.PREDICT}),
        (":operate", {Access.OPERATE}),
        (":predict+operate", {Access.PREDICT, Access.OPERATE}),
    ],
)
def test_an_entry_names_the_scopes_of_a_key(scopes: str, given: set[Access]) -> None:
    [owner] = parse_keys(entry("ann", scopes), "PAYGRADE_API_KEYS").values()
    assert set(owner.scopes) == given


def test_a_key_does_only_what_its_scopes_allow(new_site: NewSite) -> None:
    site = new_site(
        keys=",".join([entry("ann"), entry("ops", ":operate"), entry("both", ":predict+operate")])
    )
    for key, predicts, operates in (("ann", 202, 403), ("ops", 403, 200), ("both", 202, 200)):
        assert site.post({"inputs": {"years": 1}}, X_API_Key=key).status_code == predicts
        assert site.client.get("/metrics", headers={"X-API-Key": key}).status_code == operates


def test_a_changed_file_is_read_again_and_old_keys_end(tmp_path: Path, new_site: NewSite) -> None:
    file = tmp_path / "keys"
    file.write_text(f"# callers\n{entry('old')}\n")
    site = new_site(keys=entry("listed"), keys_file=str(file))

    def status(key: str) -> int:
        return site.post({"inputs": {"years": 1}}, X_API_Key=key).status_code

    assert [status(key) for key in ("listed", "old", "new")] == [202, 202, 401]
    file.write_text(f"{entry('old')}\n{entry('new')}  # both, until the caller has changed\n")
    site.web.keys.read_again()
    assert [status(key) for key in ("listed", "old", "new")] == [202, 202, 202]
    file.write_text(entry("new"))
    site.web.keys.read_again()
    assert [status(key) for key in ("listed", "old", "new")] == [202, 401, 202]


@pytest.mark.parametrize("broken", ["", "# none", "ann:7312561", "\xff", None])
def test_a_broken_file_keeps_the_keys_and_is_logged_without_its_text(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, broken: str | None
) -> None:
    file = tmp_path / "keys"
    file.write_text(entry("ann"))
    keys = ApiKeys("", str(file))
    if broken is None:
        file.unlink()
    else:
        file.write_text(broken, "latin-1")
    with caplog.at_level(logging.INFO):
        keys.read_again()
        keys.read_again()
    assert [owner.name for owner in keys.owners.values()] == ["ann"]
    assert [record.message for record in caplog.records] == ["keys_not_read"]
    assert "7312561" not in str(caplog.records[0].__dict__)
    file.write_text(entry("bob"))
    keys.read_again()
    assert [owner.name for owner in keys.owners.values()] == ["bob"]


@pytest.mark.parametrize("content", ["", "ann", None])
def test_web_does_not_start_with_a_broken_file(tmp_path: Path, content: str | None) -> None:
    file = tmp_path / "keys"
    if content is not None:
        file.write_text(content)
    with pytest.raises(InvalidSettings, match=r"^PAYGRADE_API_KEYS_FILE: "):
        ApiKeys("", str(file))


ARN = "arn:aws:secretsmanager:eu-central-1:123456789012:secret:keys-AbCdEf"


class Secret:
    """A client of Secrets Manager that knows one secret."""

    def __init__(self) -> None:
        self.value: str | None = None
        self.fault = "ResourceNotFoundException"
        self.read = 0

    def get_secret_value(self, SecretId: str) -> dict[str, str]:  # noqa: N803 (its name in the API)
        assert SecretId == ARN
        self.read += 1
        if not self.fault:
            return {}  # a value that is not text
        if self.value is None:
            raise ClientError({"Error": {"Code": self.fault}}, "GetSecretValue")
        return {"SecretString": self.value}


@pytest.fixture
def secret(monkeypatch: pytest.MonkeyPatch) -> Secret:
    secret = Secret()
    monkeypatch.setattr(entry_files, "_client", lambda region: {"eu-central-1": secret}[region])
    return secret


def test_keys_in_a_secret_of_aws_are_read_again_without_a_restart(secret: Secret) -> None:
    secret.value = f"{entry('ann')},{entry('bob')}"
    keys = ApiKeys("", ARN)
    assert sorted(owner.name for owner in keys.owners.values()) == ["ann", "bob"]
    secret.value = entry("bob")
    keys.read_again()
    assert [owner.name for owner in keys.owners.values()] == ["bob"]
    secret.value, secret.fault = None, "AccessDeniedException"
    keys.read_again()
    assert [owner.name for owner in keys.owners.values()] == ["bob"]


@pytest.mark.parametrize("fault", ["ResourceNotFoundException", "AccessDeniedException", ""])
def test_web_does_not_start_with_a_secret_that_has_no_keys(secret: Secret, fault: str) -> None:
    secret.fault = fault
    with pytest.raises(InvalidSettings, match=r"^PAYGRADE_API_KEYS_FILE: arn:aws:secretsmanager:"):
        ApiKeys("", ARN)


def test_a_secret_is_read_once_a_minute(secret: Secret) -> None:
    now = 1_000.0
    entries = entry_files.entries_at(ARN, "PAYGRADE_API_KEYS_FILE", lambda: now)
    assert entries.is_due()
    assert entries.read() == ""
    now += 59
    assert not entries.is_due()
    now += 1
    assert entries.is_due()


def test_a_file_alone_shuts_out_those_without_a_key(tmp_path: Path, new_site: NewSite) -> None:
    file = tmp_path / "keys"
    file.write_text(entry("ann"))
    site = new_site(keys_file=str(file))
    problem(site.post({"inputs": {"years": 1}}), 401)
    assert site.post({"inputs": {"years": 1}}, X_API_Key="ann").status_code == 202
