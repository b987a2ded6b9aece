"""paygrade and python -m ops as they are typed, against real processes."""

import json
import os
import pty
import signal
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.integration.callers import Caller
from tests.integration.conftest import StartStack
from tests.integration.service import PATIENCE, PYTHON, ROOT, Service, clean_environment, wait_until
from tests.integration.stack import Stack
from web.keys import digest

Call = Callable[[Stack], Caller]
PAYGRADE = [PYTHON, "-m", "paygrade"]
OPS = [PYTHON, "-m", "ops"]


def environment(stack: Stack, **settings: str) -> dict[str, str]:
    return clean_environment(
        PAYGRADE_URL=stack.address, REDIS_URL=stack.redis_url, PYTHONPATH=str(ROOT / "client"), **settings
    )


def run(stack: Stack, command: list[str], *typed: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*command, *typed],
        cwd=ROOT,
        env=environment(stack, **settings),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


def paygrade(stack: Stack, *typed: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return run(stack, PAYGRADE, *typed, **settings)


def operate(stack: Stack, *typed: str) -> subprocess.CompletedProcess[str]:
    return run(stack, OPS, *typed)


def read(stack: Stack, *typed: str, command: list[str] = PAYGRADE, **settings: str) -> Any:
    """What it prints with --json if it succeeds."""
    done = run(stack, command, *typed, "--json", **settings)
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_row_is_scored_shown_and_deleted(shared: Stack) -> None:
    [scored] = read(shared, "predict", "years=2.5")
    assert scored["output"] == {"prediction": 260.00012}
    assert read(shared, "jobs", "show", scored["id"]) == [scored]
    assert scored in read(shared, "jobs", "list", "--status", "succeeded", "--limit", "200")
    assert paygrade(shared, "jobs", "cancel", scored["id"]).returncode == 1
    assert read(shared, "jobs", "delete", scored["id"]) == [{"id": scored["id"], "deleted": True}]
    gone = paygrade(shared, "jobs", "show", scored["id"])
    assert (gone.returncode, gone.stderr) == (1, "paygrade: there is no such prediction\n")


def test_rows_and_scores_stand_side_by_side(shared: Stack) -> None:
    done = paygrade(shared, "predict", "years=2.5", "--row", "years=4.5")
    assert done.stdout.splitlines() == ["years  prediction", "2.5    260.00012", "4.5    374.99866"]


def test_the_faults_of_all_rows_are_one_line(shared: Stack) -> None:
    done = paygrade(shared, "predict", "years=many", "--row", "age=3")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert all(where in done.stderr for where in ("/inputs/0/years", "/inputs/1/years", "/inputs/1/age"))
    assert paygrade(shared, "predict", "years=1", "--model", "nix").returncode == 1


def test_the_models_are_those_that_web_serves(shared: Stack) -> None:
    [salary] = [model for model in read(shared, "models") if model["name"] == "salary"]
    assert salary["default"]
    assert "salary" in paygrade(shared, "models").stdout


def test_web_and_redis_show_the_same(shared: Stack) -> None:
    [scored] = read(shared, "predict", "years=8")
    [shown] = read(shared, "jobs", "show", scored["id"], command=OPS)
    assert shown == {**scored, "owner": "anonymous", "attempt": 1}
    assert shown in read(shared, "jobs", "list", "--limit", "200", command=OPS)
    [over_http], [direct] = read(shared, "capacity"), read(shared, "capacity", command=OPS)
    assert over_http["releases"] == direct["releases"]
    assert {each["of"] for each in direct["processes"]} - {"worker for batches"} == {"web", "worker"}
    assert over_http.keys() == direct.keys() - {"processes", "redis", "files"}


def test_a_batch_is_listed_shown_and_deleted_like_a_prediction(shared: Stack, tmp_path: Path) -> None:
    (tmp_path / "people.csv").write_text("years\n2.5\n")
    scored = paygrade(shared, "score", str(tmp_path / "people.csv"))
    assert scored.stdout == "prediction,warnings,error\n260.00012,,\n"
    [batch, *_] = read(shared, "jobs", "list", "--kind", "batch")
    assert batch["counts"] == {"total": 1, "succeeded": 1, "failed": 0}
    assert read(shared, "jobs", "show", batch["id"], command=OPS) == [{**batch, "owner": "anonymous"}]
    assert "rows      1 scored, 0 failed, of 1" in paygrade(shared, "jobs", "show", batch["id"]).stdout
    deleted = operate(shared, "jobs", "delete", batch["id"])
    assert (deleted.returncode, deleted.stdout) == (0, f"{batch['id']} deleted\n")
    assert paygrade(shared, "jobs", "show", batch["id"]).returncode == 1


def test_waiting_jobs_are_canceled_by_their_owner_or_by_operators(
    start_stack: StartStack, call: Call
) -> None:
    stack = start_stack()
    stack.start_web()
    first, second = (call(stack).accepted({"years": years}) for years in (1, 2))
    done = paygrade(stack, "jobs", "cancel", first)
    assert (done.returncode, done.stdout) == (0, f"{first} canceled\n")
    assert read(stack, "jobs", "cancel", second, command=OPS)[0]["status"] == "canceled"


def test_a_job_that_nobody_claims_is_named_and_continues(start_stack: StartStack) -> None:
    stack = start_stack()
    stack.start_web()
    done = paygrade(stack, "predict", "years=1", "--timeout", "0.5")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    [waiting] = read(stack, "jobs", "list")
    assert waiting["status"] == "queued"
    assert waiting["id"] in done.stderr
    found = operate(stack, "doctor")
    assert (found.returncode, found.stdout.count("fault")) == (1, 1)
    assert "start python -m worker" in found.stdout


def test_doctor_finds_nothing_wrong_with_a_whole_stack(shared: Stack) -> None:
    wait_until("nothing waits", lambda: not read(shared, "capacity")[0]["waiting"])
    for typed in (("doctor",), ("doctor", "--url", shared.address)):
        [found] = read(shared, *typed, command=OPS)
        assert found["ok"]
        assert {finding["state"] for finding in found["findings"]} == {"ok"}


def test_doctor_finds_what_is_wrong_with_a_real_redis(start_stack: StartStack) -> None:
    stack = start_stack()
    for name, value in {"maxmemory-policy": "allkeys-lru", "appendonly": "no", "maxmemory": "0"}.items():
        stack.redis.config_set(name, value)
    done = operate(stack, "doctor", "--json")
    found = {(finding["state"], finding["about"]) for finding in json.loads(done.stdout)["findings"]}
    assert done.returncode == 1
    assert {("fault", "memory"), ("warning", "memory"), ("warning", "persistence")} < found
    assert {("warning", "workers"), ("warning", "web")} < found


def test_where_keys_are_set_one_is_needed(start_stack: StartStack, tmp_path: Path) -> None:
    stack = start_stack({"PAYGRADE_API_KEYS": f"ann:{digest('of-ann')}"})
    stack.start_web()
    refused = paygrade(stack, "jobs", "list")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "fault  key" in operate(stack, "doctor", "--url", stack.address).stdout
    (tmp_path / "key").write_text("of-ann\n")
    key_file = ("--key-file", str(tmp_path / "key"))
    assert read(stack, "jobs", "list", PAYGRADE_API_KEY="of-ann") == []
    assert read(stack, "jobs", "list", *key_file) == []
    assert "accepted\n" in operate(stack, "doctor", "--url", stack.address, *key_file).stdout


def test_a_reader_who_has_read_enough_is_no_error(shared: Stack) -> None:
    read(shared, "predict", "years=1")
    for command in (PAYGRADE, OPS):
        read_end, write_end = os.pipe()
        os.close(read_end)
        done = subprocess.run(
            [*command, "jobs", "list", "--json"],
            cwd=ROOT,
            env=environment(shared),
            stdout=write_end,
            stderr=subprocess.PIPE,
        )
        os.close(write_end)
        assert (done.returncode, done.stderr) == (0, b"")


def test_a_full_disk_is_one_line(shared: Stack) -> None:
    for command in (PAYGRADE, OPS):
        with Path("/dev/full").open("w") as full:
            done = subprocess.run(
                [*command, "jobs", "list"],
                cwd=ROOT,
                env=environment(shared),
                stdout=full,
                stderr=subprocess.PIPE,
            )
        assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)


def test_watch_prints_a_line_each_time_through_a_pipe(shared: Stack, tmp_path: Path) -> None:
    watch = Service([*PAYGRADE, "watch", "--every", "0.1"], tmp_path / "watch.log", environment(shared))
    try:
        wait_until("three lines", lambda: watch.says().count("\n") >= 3)
        watch.send(signal.SIGINT)
        assert watch.ended() == 0
        assert "\x1b" not in watch.says()
        assert all("waiting" in line and "accepting" in line for line in watch.says().splitlines())
    finally:
        watch.kill_group()


def test_watch_continues_when_redis_is_back(start_stack: StartStack, tmp_path: Path) -> None:
    stack = start_stack()
    watch = Service([*OPS, "watch", "--every", "0.1"], tmp_path / "watch.log", environment(stack))
    try:
        wait_until("it looks", lambda: "accepting" in watch.says())
        stack.store.kill()
        wait_until("it prints the error", lambda: '"error"' in watch.says())
        stack.start_store()
        wait_until("it looks again", lambda: "accepting" in watch.says().rpartition('"error"')[2])
        watch.send(signal.SIGINT)
        assert watch.ended() == 0
    finally:
        watch.kill_group()


def test_watch_draws_in_place_on_a_terminal_until_ctrl_c(shared: Stack) -> None:
    [scored] = read(shared, "predict", "years=1")
    for command, expected in ((PAYGRADE, scored["id"]), (OPS, "rows_per_second")):
        pid, terminal = pty.fork()
        if pid == 0:
            os.chdir(ROOT)
            watch = [*command, "watch", "--every", "0.1"]
            os.execve(PYTHON, watch, environment(shared) | {"COLUMNS": "60"})  # noqa: S606
        shown = b""
        while shown.count(b"\x1b[H") < 3:
            shown += os.read(terminal, 4096)
        os.write(terminal, b"\x03")
        _, status = os.waitpid(pid, 0)
        os.close(terminal)
        assert os.waitstatus_to_exitcode(status) == 0
        assert expected.encode() in shown
        assert max(map(len, shown.decode().split("\x1b[K"))) < 70
