"""python -m jobs as it is typed, against real processes."""

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
JOBS = [PYTHON, "-m", "jobs"]


def environment(stack: Stack, **settings: str) -> dict[str, str]:
    return clean_environment(PAYGRADE_URL=stack.address, REDIS_URL=stack.redis_url, **settings)


def jobs(stack: Stack, *typed: str, **settings: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [*JOBS, *typed],
        cwd=ROOT,
        env=environment(stack, **settings),
        capture_output=True,
        text=True,
        timeout=PATIENCE,
    )


def read(stack: Stack, *typed: str, **settings: str) -> Any:
    """What it prints with --json, where all is well."""
    done = jobs(stack, *typed, "--json", **settings)
    assert (done.returncode, done.stderr) == (0, "")
    return [json.loads(line) for line in done.stdout.splitlines()]


def test_a_row_is_scored_found_and_removed(shared: Stack) -> None:
    [scored] = read(shared, "score", "--row", "years=2.5")
    assert scored["output"] == {"prediction": 260.00012}
    assert read(shared, "show", scored["id"]) == [scored]
    assert scored in read(shared, "list", "--status", "succeeded", "--limit", "200")
    assert jobs(shared, "cancel", scored["id"]).returncode == 1
    assert read(shared, "delete", scored["id"]) == [{"id": scored["id"], "deleted": True}]
    gone = jobs(shared, "show", scored["id"])
    assert (gone.returncode, gone.stderr) == (1, "jobs: there is no such prediction\n")


def test_rows_and_scores_stand_side_by_side(shared: Stack) -> None:
    done = jobs(shared, "score", "--row", "years=2.5", "--row", "years=4.5")
    assert done.stdout.splitlines() == ["years  prediction", "2.5    260.00012", "4.5    374.99866"]


def test_rows_that_do_not_fit_are_told_so_all_at_once(shared: Stack) -> None:
    done = jobs(shared, "score", "--row", "years=many", "--row", "age=3")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (2, "", 1)
    assert all(place in done.stderr for place in ("/inputs/0/years", "/inputs/1/years", "/inputs/1/age"))
    assert jobs(shared, "score", "--row", "years=1", "--model", "nix").returncode == 1


def test_web_and_redis_say_the_same(shared: Stack) -> None:
    [scored] = read(shared, "score", "--row", "years=8")
    [shown] = read(shared, "show", scored["id"], "--redis")
    assert shown == {**scored, "owner": "anonymous", "attempt": 1}
    assert shown in read(shared, "list", "--redis", "--owner", "anonymous", "--limit", "200")
    [over_http], [direct] = read(shared, "capacity"), read(shared, "capacity", "--redis")
    assert over_http["releases"] == direct["releases"]
    assert {each["of"] for each in direct["processes"]} - {"worker for batches"} == {"web", "worker"}
    assert over_http.keys() == direct.keys() - {"processes"}


def test_what_waits_is_canceled_over_either(start_stack: StartStack, call: Call) -> None:
    stack = start_stack()
    stack.start_web()
    first, second = (call(stack).accepted({"years": years}) for years in (1, 2))
    done = jobs(stack, "cancel", first)
    assert (done.returncode, done.stdout) == (0, f"{first} canceled\n")
    assert read(stack, "cancel", second, "--redis")[0]["status"] == "canceled"


def test_a_job_that_nobody_takes_is_named_and_goes_on(start_stack: StartStack) -> None:
    stack = start_stack()
    stack.start_web()
    done = jobs(stack, "score", "--row", "years=1", "--timeout", "0.5")
    assert (done.returncode, done.stdout, done.stderr.count("\n")) == (1, "", 1)
    [waiting] = read(stack, "list")
    assert waiting["status"] == "queued"
    assert waiting["id"] in done.stderr
    away = jobs(stack, "doctor")
    assert (away.returncode, away.stdout.count("fault")) == (1, 1)
    assert "start python -m worker" in away.stdout


def test_all_is_well_with_a_whole_stack(shared: Stack) -> None:
    wait_until("nothing waits", lambda: not read(shared, "capacity")[0]["waiting"])
    [found] = read(shared, "doctor", "--redis", "--url", shared.address)
    assert found["ok"]
    assert {finding["state"] for finding in found["findings"]} == {"ok"}


def test_the_doctor_sees_what_is_wrong_with_a_real_redis(start_stack: StartStack) -> None:
    stack = start_stack()
    for name, value in {"maxmemory-policy": "allkeys-lru", "appendonly": "no", "maxmemory": "0"}.items():
        stack.redis.config_set(name, value)
    done = jobs(stack, "doctor", "--json")
    found = {(finding["state"], finding["about"]) for finding in json.loads(done.stdout)["findings"]}
    assert done.returncode == 1
    assert {("fault", "memory"), ("warning", "memory"), ("warning", "persistence")} < found
    assert {("warning", "workers"), ("warning", "web processes")} < found


def test_where_keys_are_set_one_is_needed(start_stack: StartStack, tmp_path: Path) -> None:
    stack = start_stack({"PAYGRADE_API_KEYS": f"ann:{digest('of-ann')}"})
    stack.start_web()
    refused = jobs(stack, "list")
    assert (refused.returncode, refused.stderr.count("\n")) == (2, 1)
    assert "fault  key" in jobs(stack, "doctor", "--url", stack.address).stdout
    (tmp_path / "key").write_text("of-ann\n")
    assert read(stack, "list", PAYGRADE_KEY="of-ann") == []
    assert read(stack, "list", "--key-file", str(tmp_path / "key")) == []


def test_a_reader_who_has_read_enough_is_no_error(shared: Stack) -> None:
    read(shared, "score", "--row", "years=1")
    read_end, write_end = os.pipe()
    os.close(read_end)
    done = subprocess.run(
        [*JOBS, "list", "--json"], cwd=ROOT, env=environment(shared), stdout=write_end, stderr=subprocess.PIPE
    )
    os.close(write_end)
    assert (done.returncode, done.stderr) == (0, b"")


def test_a_disk_that_is_full_is_one_line(shared: Stack) -> None:
    with Path("/dev/full").open("w") as full:
        done = subprocess.run(
            [*JOBS, "list"], cwd=ROOT, env=environment(shared), stdout=full, stderr=subprocess.PIPE
        )
    assert (done.returncode, done.stderr.count(b"\n")) == (2, 1)


def test_watched_through_a_pipe_it_is_a_line_each_time(shared: Stack, tmp_path: Path) -> None:
    watch = Service([*JOBS, "watch", "--every", "0.1"], tmp_path / "watch.log", environment(shared))
    try:
        wait_until("three lines", lambda: watch.says().count("\n") >= 3)
        watch.send(signal.SIGINT)
        assert watch.ended() == 0
        assert "\x1b" not in watch.says()
        assert all("waiting" in line and "accepting" in line for line in watch.says().splitlines())
    finally:
        watch.kill_group()


def test_what_goes_away_while_it_is_watched_comes_back(start_stack: StartStack, tmp_path: Path) -> None:
    stack = start_stack()
    command = [*JOBS, "watch", "--redis", "--every", "0.1", "--json"]
    watch = Service(command, tmp_path / "watch.log", environment(stack))
    try:
        wait_until("it looks", lambda: "accepting" in watch.says())
        stack.store.kill()
        wait_until("it says so", lambda: '"error"' in watch.says())
        stack.start_store()
        wait_until("it looks again", lambda: "accepting" in watch.says().rpartition('"error"')[2])
        watch.send(signal.SIGINT)
        assert watch.ended() == 0
    finally:
        watch.kill_group()


def test_on_a_terminal_it_is_drawn_in_place_and_ends_on_ctrl_c(shared: Stack) -> None:
    [scored] = read(shared, "score", "--row", "years=1")
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(ROOT)
        os.execve(PYTHON, [*JOBS, "watch", "--every", "0.1"], environment(shared) | {"COLUMNS": "60"})  # noqa: S606
    shown = b""
    while shown.count(b"\x1b[H") < 3:
        shown += os.read(terminal, 4096)
    os.write(terminal, b"\x03")
    _, status = os.waitpid(pid, 0)
    os.close(terminal)
    assert os.waitstatus_to_exitcode(status) == 0
    assert scored["id"].encode() in shown
    assert max(map(len, shown.decode().split("\x1b[K"))) < 70
