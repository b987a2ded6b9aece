"""Everything that the doctor can find, each with a way to have it."""

from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from jobs import RELEASE
from jobs.cli.api import Api
from jobs.cli.doctor import bundles, fit, processes, store
from jobs.cli.doctor.finding import Finding, State
from jobs.cli.doctor.web import encrypted
from jobs.cli.errors import CannotAsk
from jobs.settings import Settings
from tests.integration.service import free_port
from tests.unit.jobs.cli.answering import Answer, Answering, problem
from tests.unit.jobs.cli.conftest import Jobs

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
MODEL = {"name": "salary", "versions": [1, 2], "default": True}


def wrong(findings: Any) -> list[tuple[str, str]]:
    return [(finding.state.value, finding.about) for finding in findings if finding.state is not State.OK]


def about_settings(**changed: Any) -> list[Finding]:
    return list(fit.look(Settings(**changed)))


def about_redis(settings: Settings | None = None, **changed: Any) -> list[Finding]:
    facts = store.Facts(
        {**INFO, **changed}, changed.get("appendfsync", "everysec"), changed.get("ahead", 0.0)
    )
    return list(store.look(facts, settings or Settings()))


def test_all_may_be_well() -> None:
    findings = [*about_settings(), *about_redis(), *processes.look(NOW), *bundles.look(Settings())]
    assert not wrong(findings)
    assert {finding.about for finding in findings} == {
        *("lease", "attempts", "retention", "keys", "bundles"),
        *("redis", "memory", "persistence", "clock", "workers", "releases", "line"),
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
def test_settings_that_do_not_fit_are_a_warning(settings: dict[str, Any], about: str) -> None:
    assert wrong(about_settings(**settings)) == [("warning", about)]


@pytest.mark.parametrize(
    "settings", [{"lease_seconds": 6}, {"lease_seconds": 25}, {"retention_seconds": 300}]
)
def test_those_at_the_edge_fit(settings: dict[str, Any]) -> None:
    assert not wrong(about_settings(**settings))


def test_keys_are_counted_and_never_shown() -> None:
    [keys] = [
        each for each in about_settings(api_keys=f"a:{DIGEST}:operate, b:{DIGEST}") if each.about == "keys"
    ]
    assert keys.said == "2, of which 1 may operate"


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
def test_a_redis_that_does_not_do_is_told(changed: dict[str, Any], expected: tuple[str, str]) -> None:
    assert wrong(about_redis(**changed)) == [expected]


def test_a_redis_that_does_not_say_how_it_syncs_is_well() -> None:
    assert not wrong(about_redis(appendfsync=None))


def test_what_tells_too_little_is_not_judged(redis: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(redis, "info", lambda: {"redis_version": "7.2.4"})
    monkeypatch.setattr(redis, "config_get", lambda _: {})
    with pytest.raises(CannotAsk, match="INFO has no aof_enabled"):
        store.Facts.gather(redis)


def test_valkey_is_named_by_its_own_release() -> None:
    assert about_redis(valkey_version="9.1.2")[0].said == "Valkey 9.1.2"


@pytest.mark.parametrize(
    ("changed", "expected"),
    [
        ({"workers": 0, "children": 0}, ("fault", "workers")),
        ({"workers": 0, "children": 0, "waiting": 0}, ("warning", "workers")),
        ({"processes": []}, ("warning", "web processes")),
        ({"releases": ["0.0.9", RELEASE]}, ("warning", "releases")),
        ({"releases": ["0.0.9"]}, ("warning", "releases")),
        ({"accepting": False}, ("fault", "line")),
        ({"oldest_age_seconds": 61.0}, ("warning", "line")),
    ],
    ids=str,
)
def test_so_is_what_is_wrong_with_processes(changed: dict[str, Any], expected: tuple[str, str]) -> None:
    assert wrong(processes.look(NOW | changed)) == [expected]


def test_of_several_releases_it_is_told_whose_they_are() -> None:
    alive = [{"of": "web", "release": RELEASE}, {"of": "worker", "release": "0.0.9"}]
    now = NOW | {"processes": alive, "releases": ["0.0.9", RELEASE]}
    [found] = [finding for finding in processes.look(now) if finding.state is State.WARNING]
    assert f"web {RELEASE}, worker 0.0.9" in found.said


def bundle(folder: Path, *files: str) -> None:
    folder.mkdir(parents=True)
    for file in files:
        (folder / file).touch()


def test_bundles_are_listed_by_name_and_version(tmp_path: Path) -> None:
    bundle(tmp_path / "salary" / "1", "bundle.json", "model.ubj")
    bundle(tmp_path / "fees" / "7", "bundle.json", "model.ubj")
    bundle(tmp_path / "fees" / ".8", "model.ubj")
    [found] = bundles.look(Settings(bundles=str(tmp_path)))
    assert found.said == f"fees@7, salary@1 in {tmp_path}"


def test_a_bundle_that_is_not_whole_is_a_fault(tmp_path: Path) -> None:
    bundle(tmp_path / "salary" / "1", "bundle.json", "model.ubj")
    bundle(tmp_path / "salary" / "2", "bundle.json")
    assert wrong(bundles.look(Settings(bundles=str(tmp_path)))) == [("fault", "bundles")]


def test_so_is_a_default_model_that_is_not_there(tmp_path: Path) -> None:
    bundle(tmp_path / "fees" / "1", "bundle.json", "model.ubj")
    assert wrong(bundles.look(Settings(bundles=str(tmp_path)))) == [("fault", "bundles")]
    assert not wrong(bundles.look(Settings(bundles=str(tmp_path), default_model="fees@1")))


def test_a_bucket_is_left_to_web(tmp_path: Path) -> None:
    assert wrong(bundles.look(Settings(bundles="s3://models/bundles"))) == [("warning", "bundles")]


def test_and_a_directory_that_is_not_there(tmp_path: Path) -> None:
    assert wrong(bundles.look(Settings(bundles=str(tmp_path / "nowhere")))) == [("fault", "bundles")]


def test_a_redis_that_is_away_is_a_fault(jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("REDIS_URL", f"redis://:secret@127.0.0.1:{free_port()}/0")
    status, out, err = jobs("doctor")
    assert (status, err) == (1, "")
    assert "fault  redis" in out
    assert "secret" not in out


HEALTHY, READY, LISTED = (
    Answer(200, {"status": "ok"}),
    Answer(200, {"status": "ready"}),
    Answer(200, {"data": []}),
)
SERVED, STANDING = Answer(200, {"data": [MODEL]}), Answer(200, NOW)


def test_web_is_asked_what_its_callers_may_ask(jobs: Jobs) -> None:
    with Answering(HEALTHY, READY, LISTED, SERVED, STANDING) as server:
        status, out, _ = jobs("doctor", server=server)
    assert status == 0
    assert "salary@1, salary@2" in out
    asked = [sent.line.partition(" ")[2] for sent in server.sent]
    assert asked == ["/healthz", "/readyz", "/v1/predictions?limit=1", "/v1/models", "/v1/capacity"]


@pytest.mark.parametrize(
    ("answers", "about"),
    [
        ([Answer(502, b"Bad Gateway")], "web"),
        ([HEALTHY, problem(503, "away"), LISTED, SERVED, STANDING], "ready"),
        ([HEALTHY, READY, problem(401, "send a valid key"), SERVED, STANDING], "key"),
        ([HEALTHY, READY, LISTED, Answer(200, {"data": []}), STANDING], "models"),
        ([HEALTHY, READY, LISTED, Answer(200, {"data": [MODEL | {"default": False}]}), STANDING], "models"),
        ([HEALTHY, READY, LISTED, SERVED, problem(503, "away")], "capacity"),
        ([HEALTHY, READY, LISTED, SERVED, Answer(200, NOW | {"accepting": False})], "line"),
    ],
)
def test_what_web_cannot_do_is_a_fault(jobs: Jobs, answers: list[Answer], about: str) -> None:
    with Answering(*answers) as server:
        status, out, err = jobs("doctor", server=server)
    assert (status, err) == (1, "")
    assert [line.split()[1] for line in out.splitlines() if line.startswith("fault")] == [about]


def test_a_key_over_http_is_a_warning() -> None:
    assert wrong(encrypted(Api("http://paygrade.example"))) == [("warning", "web")]
    assert not wrong(encrypted(Api("https://paygrade.example")))
    assert not wrong(encrypted(Api("http://[::1]:8000")))
