"""Everything that doctor can find in settings, Redis, bundles and processes, each with a cause."""

from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from redis import Redis

from jobs import RELEASE
from jobs.files.directory import DirectoryFiles
from jobs.settings import Settings
from model.description.lifecycle import Lifecycle
from ops.doctor import bundles, files, processes, store
from ops.doctor import settings as settings_check
from ops.doctor.finding import Finding, Severity
from ops.errors import RedisRefused
from tests.unit.ops.conftest import Ops

DIGEST = "5a" * 32
GIB = 1024**3
INFO = {
    "redis_version": "7.2.4",
    "role": "master",
    "cluster_enabled": 0,
    "maxmemory": GIB,
    "maxmemory_policy": "noeviction",
    "used_memory": GIB // 10,
    "aof_enabled": 1,
    "aof_last_write_status": "ok",
    "aof_last_bgrewrite_status": "ok",
}
NOW = {
    "waiting": 3,
    "claimed": 0,
    "oldest_age_seconds": 0.1,
    "workers": 1,
    "children": 2,
    "releases": [RELEASE],
    "accepting": True,
}


def problems(findings: Any) -> list[tuple[str, str]]:
    return [(finding.state.value, finding.about) for finding in findings if finding.state is not Severity.OK]


def about_settings(**changed: Any) -> list[Finding]:
    return list(settings_check.look(Settings(**changed)))


def about_redis(settings: Settings | None = None, **changed: Any) -> list[Finding]:
    facts = store.Facts(
        {**INFO, **changed}, changed.get("appendfsync", "everysec"), changed.get("ahead", 0.0)
    )
    return list(store.look(facts, settings or Settings()))


def test_a_healthy_service_has_no_findings_but_ok() -> None:
    findings = [*about_settings(), *about_redis(), *processes.look(NOW), *bundles.look(Settings())]
    assert not problems(findings)
    assert {finding.about for finding in findings} == {
        *("lease", "attempts", "retention", "keys", "bundles"),
        *("redis", "memory", "persistence", "clock", "workers", "releases", "queue"),
    }


@pytest.mark.parametrize(
    ("settings", "about"),
    [
        ({"lease_seconds": 5}, "lease"),
        ({"lease_seconds": 26}, "lease"),
        ({"attempts": 1}, "attempts"),
        ({"attempts": 6}, "attempts"),
        ({"retention_seconds": 299}, "retention"),
        ({"allow_anyone": True}, "keys"),
        ({"api_keys": f"ann:{DIGEST}"}, "keys"),
        ({"api_keys": f"ann:{DIGEST}:operate", "allow_anyone": True}, "keys"),
    ],
    ids=str,
)
def test_settings_that_do_not_fit_one_another_are_a_warning(settings: dict[str, Any], about: str) -> None:
    assert problems(about_settings(**settings)) == [("warning", about)]


@pytest.mark.parametrize(
    "settings", [{"lease_seconds": 6}, {"lease_seconds": 25}, {"retention_seconds": 300}]
)
def test_settings_at_the_limits_fit(settings: dict[str, Any]) -> None:
    assert not problems(about_settings(**settings))


def test_keys_are_counted_and_not_shown() -> None:
    [keys] = [
        each for each in about_settings(api_keys=f"a:{DIGEST}:operate, b:{DIGEST}") if each.about == "keys"
    ]
    assert keys.found == "2, of which 1 may operate"


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"redis_version": "6.2.14-rc1"}, ("fault", "redis")),
        ({"role": "slave"}, ("fault", "redis")),
        ({"cluster_enabled": 1}, ("fault", "redis")),
        ({"maxmemory_policy": "allkeys-lru"}, ("fault", "memory")),
        ({"maxmemory": 0}, ("warning", "memory")),
        ({"used_memory": int(GIB * 0.71)}, ("fault", "memory")),
        ({"maxmemory": GIB // 10, "used_memory": 0}, ("warning", "memory")),
        ({"settings": Settings(max_memory_percent=95)}, ("warning", "memory")),
        ({"settings": Settings(max_waiting=2_000_000)}, ("warning", "memory")),
        ({"aof_enabled": 0}, ("warning", "persistence")),
        ({"aof_last_write_status": "err"}, ("fault", "persistence")),
        ({"aof_last_bgrewrite_status": "err"}, ("warning", "persistence")),
        ({"appendfsync": "no"}, ("warning", "persistence")),
        ({"ahead": 1.5}, ("warning", "clock")),
        ({"ahead": -1.5}, ("warning", "clock")),
    ],
    ids=str,
)
def test_an_unsuitable_redis_is_found(changed: dict[str, Any], expected: tuple[str, str]) -> None:
    assert problems(about_redis(**changed)) == [expected]


def test_a_redis_that_does_not_allow_config_is_ok() -> None:
    assert not problems(about_redis(appendfsync=None))


def test_a_redis_whose_info_lacks_fields_is_not_judged(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis, "info", lambda: {"redis_version": "7.2.4"})
    monkeypatch.setattr(redis, "config_get", lambda _: {})
    with pytest.raises(RedisRefused, match="INFO has no aof_enabled"):
        store.Facts.gather(redis)


def test_valkey_is_shown_with_its_own_release() -> None:
    assert about_redis(valkey_version="9.1.2")[0].found == "Valkey 9.1.2"


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"workers": 0, "children": 0}, ("fault", "workers")),
        ({"workers": 0, "children": 0, "waiting": 0}, ("warning", "workers")),
        ({"processes": []}, ("warning", "web")),
        ({"releases": ["0.0.9", RELEASE]}, ("warning", "releases")),
        ({"releases": ["0.0.9"]}, ("warning", "releases")),
        ({"accepting": False}, ("fault", "queue")),
        ({"oldest_age_seconds": 61.0}, ("warning", "queue")),
    ],
    ids=str,
)
def test_missing_or_slow_processes_are_found(changed: dict[str, Any], expected: tuple[str, str]) -> None:
    assert problems(processes.look(NOW | changed)) == [expected]


def test_of_several_releases_it_is_shown_who_runs_which() -> None:
    alive = [{"of": "web", "release": RELEASE}, {"of": "worker", "release": "0.0.9"}]
    now = NOW | {"processes": alive, "releases": ["0.0.9", RELEASE]}
    [found] = [finding for finding in processes.look(now) if finding.state is Severity.WARNING]
    assert f"web {RELEASE}, worker 0.0.9" in found.found


def bundle(folder: Path, *files: str) -> None:
    folder.mkdir(parents=True)
    for file in files:
        (folder / file).touch()


def test_bundles_are_listed_by_name_and_version(tmp_path: Path) -> None:
    bundle(tmp_path / "salary" / "1", "bundle.json", "model.ubj")
    bundle(tmp_path / "fees" / "7", "bundle.json", "model.ubj")
    bundle(tmp_path / "fees" / ".8", "model.ubj")
    [found] = bundles.look(Settings(bundles=str(tmp_path)))
    assert found.found == f"fees@7, salary@1 in {tmp_path}"


def test_an_incomplete_bundle_is_a_fault(tmp_path: Path) -> None:
    bundle(tmp_path / "salary" / "1", "bundle.json", "model.ubj")
    bundle(tmp_path / "salary" / "2", "bundle.json")
    assert problems(bundles.look(Settings(bundles=str(tmp_path)))) == [("fault", "bundles")]


def test_a_missing_default_model_is_a_fault(tmp_path: Path) -> None:
    bundle(tmp_path / "fees" / "1", "bundle.json", "model.ubj")
    assert problems(bundles.look(Settings(bundles=str(tmp_path)))) == [("fault", "bundles")]
    assert not problems(bundles.look(Settings(bundles=str(tmp_path), default_model="fees@1")))


def test_the_default_model_may_be_an_alias(tmp_path: Path) -> None:
    bundle(tmp_path / "fees" / "1", "bundle.json", "model.ubj")
    lifecycle = Lifecycle().with_alias("champion", 1)
    (tmp_path / "fees" / "lifecycle.json").write_bytes(lifecycle.to_json())
    assert not problems(bundles.look(Settings(bundles=str(tmp_path), default_model="fees@champion")))
    assert problems(bundles.look(Settings(bundles=str(tmp_path), default_model="fees@next")))


def test_a_bucket_is_not_checked(tmp_path: Path) -> None:
    assert problems(bundles.look(Settings(bundles="s3://models/bundles"))) == [("warning", "bundles")]


def test_a_missing_directory_of_bundles_is_a_fault(tmp_path: Path) -> None:
    assert problems(bundles.look(Settings(bundles=str(tmp_path / "nowhere")))) == [("fault", "bundles")]


@pytest.mark.process
def test_a_redis_that_does_not_answer_is_a_fault(operate: Ops, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", "redis://:secret@127.0.0.1:1/0")
    status, out, err = operate("doctor")
    assert (status, err) == (1, "")
    assert "fault  redis" in out
    assert "secret" not in out


@pytest.mark.parametrize(
    ("free", "state"), [(GIB, Severity.FAULT), (50 * GIB, Severity.OK)], ids=["nearly full", "room"]
)
def test_a_disk_that_is_nearly_full_is_a_fault(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, state: Severity
) -> None:
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=free, total=100 * GIB))
    [finding] = files.look(DirectoryFiles(tmp_path))
    assert (finding.state, finding.about) == (state, "files")
    assert f"{free / GIB:.1f} of 100.0 GiB free" in finding.found


def test_a_file_store_that_cannot_be_used_is_a_fault(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(_: Path) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("shutil.disk_usage", refuse)
    [finding] = files.look(DirectoryFiles(tmp_path))
    assert (finding.state, finding.about) == (Severity.FAULT, "files")
