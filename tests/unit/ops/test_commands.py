"""What operators type, and what is printed."""

import json
from types import SimpleNamespace

import pytest
from redis import Redis

from jobs.batches.store import BatchStore
from jobs.predictions.store import PredictionStore
from jobs.settings import Settings
from tests.unit.conftest import job
from tests.unit.jobs.batches.conftest import add
from tests.unit.ops.conftest import Ops

ID = "pred_01a20185-eaa7-7fbf-80d5-252d88bcb074"
COMMANDS = [
    *(("doctor",), ("capacity",), ("watch",)),
    *(("jobs", verb) for verb in ("list", "show", "cancel", "delete")),
]


@pytest.mark.parametrize("words", COMMANDS, ids=" ".join)
def test_every_command_has_help_with_examples(operate: Ops, words: tuple[str, ...]) -> None:
    status, said, _ = operate(*words, "--help")
    assert status == 0
    assert f"python -m ops {' '.join(words)}" in said.partition("examples:")[2]
    assert "--json" in said


def test_the_help_explains_exit_statuses(operate: Ops) -> None:
    assert "exit status:" in operate("--help")[1]


@pytest.mark.parametrize(
    "typed",
    [
        (),
        ("nix",),
        ("jobs",),
        ("jobs", "show"),
        ("jobs", "show", "pred_x"),
        ("jobs", "list", "--status", "done"),
        ("jobs", "list", "--limit", "0"),
        ("jobs", "cancel", ID, "batch_x"),
        ("watch", "--every", "nan"),
        ("doctor", "--url", "localhost:8000"),
        ("doctor", "--url", "http://localhost", "--key-file", "no/such/file"),
    ],
    ids=" ".join,
)
@pytest.mark.usefixtures("connected")
def test_wrong_arguments_are_one_line_and_exit_2(operate: Ops, typed: tuple[str, ...]) -> None:
    status, out, err = operate(*typed)
    assert (status, out, err.count("\n")) == (2, "", 1)


@pytest.mark.parametrize(("name", "value"), [("PAYGRADE_KEYS", "x"), ("REDIS_URL", "nowhere")])
def test_so_are_wrong_settings(operate: Ops, monkeypatch: pytest.MonkeyPatch, name: str, value: str) -> None:
    monkeypatch.setenv(name, value)
    status, out, err = operate("capacity")
    assert (status, out, err.count("\n")) == (2, "", 1)


@pytest.mark.usefixtures("connected")
def test_jobs_are_listed_shown_canceled_and_deleted(operate: Ops, store: PredictionStore) -> None:
    store.add([a_job := job(owner="bob")])
    head, line = operate("jobs", "list")[1].splitlines()
    assert head.split() == ["id", "status", "owner", "model", "created", "error"]
    assert line.split()[:4] == [a_job.id, "queued", "bob", "salary@1"]
    assert json.loads(operate("jobs", "list", "--json")[1])["id"] == a_job.id
    shown = dict(line.split(maxsplit=1) for line in operate("jobs", "show", a_job.id)[1].splitlines())
    assert (shown["owner"], shown["model.name"]) == ("bob", "salary")
    assert operate("jobs", "cancel", a_job.id)[:2] == (0, f"{a_job.id} canceled\n")
    assert operate("jobs", "delete", a_job.id, "--json")[:2] == (
        0,
        f'{{"id":"{a_job.id}","deleted":true}}\n',
    )


@pytest.mark.usefixtures("connected")
def test_of_several_jobs_those_that_can_be_are_canceled(operate: Ops, store: PredictionStore) -> None:
    store.add([a_job := job()])
    status, out, err = operate("jobs", "cancel", ID, a_job.id)
    assert (status, out) == (1, f"{a_job.id} canceled\n")
    assert err == f"ops: {ID}: there is no such prediction\n"


def test_what_a_terminal_cannot_show_is_escaped(
    operate: Ops, connected: Redis, store: PredictionStore
) -> None:
    a_job = job()
    a_job.metadata = rb'{"na\u001b[2Jme":"\u001b[2J"}'
    store.add([a_job])
    assert "\x1b" not in operate("jobs", "show", a_job.id)[1]


@pytest.mark.usefixtures("connected")
def test_the_capacity_ends_with_the_processes(operate: Ops) -> None:
    lines = operate("capacity")[1].splitlines()
    assert lines[0].split() == ["waiting", "0"]
    assert lines[-1].split() == ["of", "process", "release", "rows/s"]
    assert json.loads(operate("capacity", "--json")[1])["processes"] == []


@pytest.mark.usefixtures("connected")
def test_the_capacity_shows_the_memory_of_redis_and_the_disk_of_the_file_store(
    operate: Ops, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = SimpleNamespace(free=2, total=8)
    monkeypatch.setattr("shutil.disk_usage", lambda _: usage)
    now = json.loads(operate("capacity", "--json")[1])
    assert now["redis"] == {"memory_bytes": 0, "most_memory_bytes": None}
    assert now["files"] == {"free_bytes": 2, "disk_bytes": 8}
    assert "files.free_bytes" in operate("capacity")[1]


@pytest.mark.usefixtures("connected")
def test_batches_are_listed_shown_canceled_and_deleted_like_predictions(
    operate: Ops, redis: Redis, settings: Settings
) -> None:
    job_id = add(BatchStore(redis, settings))
    [_, line] = operate("jobs", "list", "--kind", "batch")[1].splitlines()
    assert line.split()[:3] == [job_id, "validating", "ada"]
    assert json.loads(operate("jobs", "show", job_id, "--json")[1])["id"] == job_id
    assert operate("jobs", "delete", job_id)[0] == 1  # it has not ended
    assert operate("jobs", "cancel", job_id)[:2] == (0, f"{job_id} canceled\n")
    assert operate("jobs", "delete", job_id)[:2] == (0, f"{job_id} deleted\n")
    assert operate("jobs", "show", job_id)[0] == 1


@pytest.mark.usefixtures("connected")
def test_only_a_batch_that_has_not_ended_can_be_canceled(
    operate: Ops, redis: Redis, settings: Settings
) -> None:
    finalizing, ended = (add(BatchStore(redis, settings)) for _ in range(2))
    redis.hset(f"job:{finalizing}", "status", "finalizing")
    redis.hset(f"job:{ended}", "status", "succeeded")
    assert operate("jobs", "cancel", finalizing)[:2] == (0, f"{finalizing} canceled\n")
    refused = "only a batch that has not ended can be canceled; this one is succeeded"
    assert refused in operate("jobs", "cancel", ended)[2]
