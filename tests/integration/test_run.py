"""run.py: the whole of it with one command, and nothing of it left afterwards."""

import json
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import psutil
import pytest

from tests.integration.callers import Caller
from tests.integration.conftest import StartStack
from tests.integration.models import LADDER, publish_forest, publish_ladder, score_in_process
from tests.integration.service import (
    PYTHON,
    Service,
    clean_environment,
    free_port,
    kill,
    kill_all_of,
    processes_of,
    wait_until,
)
from tests.integration.stack import Stack

TRY_IT = re.compile(r"try it:  (curl .*)")
SIGNALS = (signal.SIGTERM, signal.SIGINT)


class Run:
    """One run.py."""

    def __init__(self, data: Path, port: int, model: str = "", **settings: str) -> None:
        self.data = data
        self.address = f"http://127.0.0.1:{port}"
        log = data.with_name(f"run-{port}.log")
        environment = clean_environment(PAYGRADE_DATA=str(data), PAYGRADE_CHILDREN="1", **settings)
        command = [PYTHON, "run.py", "--port", str(port), *(["--model", model] if model else [])]
        self.service = Service(command, log, environment)
        self.caller = Caller(self.address)

    def up(self) -> "Run":
        wait_until("it is up", lambda: "Paygrade is up" in self.service.says() or not self.service.alive)
        assert self.service.alive, self.service.says()
        return self

    def stop(self, signum: signal.Signals) -> int:
        self.service.send(signum)
        return self.service.ended()

    def part(self, name: str) -> psutil.Process:
        """PredictionStore, web or worker: the one that supervisord started."""
        [supervisord] = psutil.Process(self.service.pid).children()
        return next(child for child in supervisord.children() if name in " ".join(child.cmdline()))

    def end(self) -> None:
        self.caller.close()
        self.service.kill_group()
        kill_all_of(self.data)


StartRun = Callable[..., Run]


@pytest.fixture
def start_run(tmp_path: Path) -> Iterator[StartRun]:
    with ExitStack() as runs:

        def start(data: Path | None = None, port: int | None = None, model: str = "", **settings: str) -> Run:
            run = Run(data or tmp_path / "data", port or free_port(), model, **settings)
            runs.callback(run.end)
            return run

        yield start


def test_it_shows_an_answer_and_keeps_its_jobs_from_run_to_run(start_run: StartRun) -> None:
    first = start_run().up()
    assert '{"years": 2.5} -> {"prediction": 260.00012} by salary@1' in first.service.says()
    assert tried(first) == '{"salary":"260.00012"}'
    assert first.address in first.service.says()
    assert first.caller.recms({"years": "2.5"}).json() == {"salary": "260.00012"}
    done = first.caller.ended(first.caller.accepted({"years": 4.5}))
    assert first.stop(signal.SIGTERM) == 0
    assert not processes_of(first.data)
    again = start_run().up()
    assert again.caller.show(done["id"]) == done
    assert again.stop(signal.SIGINT) == 0
    assert not processes_of(again.data)


def operate(run: Run, *typed: str) -> subprocess.CompletedProcess[str]:
    """What an operator types in another shell, who knows no more than where the data is."""
    environment = clean_environment(PAYGRADE_DATA=str(run.data))
    command = [PYTHON, "-m", "ops", *typed]
    return subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)


def test_the_commands_of_operators_find_its_redis_and_settings(start_run: StartRun) -> None:
    run = start_run(PAYGRADE_LEASE_SECONDS="7").up()
    done = operate(run, "doctor", "--json")
    findings = {each["about"]: each for each in json.loads(done.stdout)["findings"]}
    assert {each["state"] for each in findings.values()} == {"ok"}, findings
    assert findings["lease"]["found"] == "7 s"
    assert (done.returncode, done.stderr) == (0, "")
    job_id = run.caller.accepted({"years": 4.5})
    assert run.caller.ended(job_id)["status"] == "succeeded"
    assert job_id in operate(run, "jobs", "list").stdout
    assert run.stop(signal.SIGTERM) == 0
    assert operate(run, "doctor").returncode == 1  # its Redis is gone, and so is what it announced


@pytest.mark.parametrize("signum", SIGNALS, ids=lambda signum: signum.name)
def test_stopped_while_it_starts_it_leaves_nothing(start_run: StartRun, signum: signal.Signals) -> None:
    run = start_run()
    wait_until("it has begun", lambda: psutil.Process(run.service.pid).children())
    run.stop(signum)
    wait_until("nobody is left", lambda: not processes_of(run.data), within=15)


def test_whatever_is_killed_is_started_again(start_run: StartRun) -> None:
    run = start_run().up()
    lost = [run.part(name) for name in ("worker", "web", "valkey-server")]
    for part in lost:
        assert kill(part.pid)
        part.wait(10)
    wait_until("all of it is there again", lambda: scores(run))
    assert run.stop(signal.SIGTERM) == 0
    assert not processes_of(run.data)


def scores(run: Run) -> bool:
    try:
        return run.caller.recms({"years": "2.5"}).text == '{"salary":"260.00012"}'
    except OSError:
        return False


def tried(run: Run) -> str:
    """What the command in the banner prints."""
    found = TRY_IT.search(run.service.says())
    assert found
    return subprocess.run(["/bin/sh", "-c", f"{found[1]} -s"], capture_output=True, text=True).stdout


def test_no_proxy_stands_between_a_machine_and_itself(start_run: StartRun) -> None:
    """As in a company: whatever goes out, goes through a proxy, and nobody has thought of NO_PROXY."""
    proxies = dict.fromkeys(("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "ALL_PROXY"), "http://127.0.0.1:1")
    run = start_run(**proxies).up()
    client = [str(Path(PYTHON).with_name("paygrade")), "predict", "years=4.5", "--url", run.address]
    environment = clean_environment(**proxies)
    said = subprocess.run(client, env=environment, capture_output=True, text=True, timeout=60)
    assert (said.returncode, said.stdout.split()[-1]) == (0, "374.99866"), said.stderr
    doctor = [PYTHON, "-m", "ops", "doctor", "--url", run.address]
    environment = clean_environment(PAYGRADE_DATA=str(run.data), **proxies)
    assert subprocess.run(doctor, env=environment, capture_output=True, timeout=60).returncode == 0


def test_the_command_in_the_banner_asks_the_model_that_is_served(start_run: StartRun, tmp_path: Path) -> None:
    publish_ladder(tmp_path / "mine")
    shutil.copytree(tmp_path / "mine" / LADDER / "1", tmp_path / "my bundle")
    run = start_run(model=str(tmp_path / "my bundle")).up()
    assert f"by {LADDER}@1" in run.service.says()
    answer = json.loads(tried(run))
    assert (answer["status"], answer["model"]["name"]) == ("succeeded", LADDER)
    assert answer["output"] == {"prediction": score_in_process([{"step": 1}], tmp_path / "mine", LADDER)[0]}


def test_the_only_model_in_the_bundles_is_served(start_run: StartRun, tmp_path: Path) -> None:
    publish_ladder(tmp_path / "mine")
    run = start_run(PAYGRADE_BUNDLES=str(tmp_path / "mine")).up()
    assert json.loads(tried(run))["model"]["name"] == LADDER


def test_of_several_models_one_must_be_named(start_run: StartRun, tmp_path: Path) -> None:
    publish_ladder(tmp_path / "mine")
    publish_forest(tmp_path / "mine")
    run = start_run(PAYGRADE_BUNDLES=str(tmp_path / "mine"))
    assert run.service.ended() == 2
    [line] = run.service.says().splitlines()
    assert "there is no model salary; it has forest, ladder; name one: make run MODEL=NAME" in line


def test_a_port_in_use_is_one_clear_line(start_run: StartRun, shared: Stack) -> None:
    run = start_run(port=shared.port)
    assert run.service.ended() == 2
    [line] = run.service.says().splitlines()
    assert str(shared.port) in line
    assert "in use" in line


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("PAYGRADE_API_KEYS", "a-key-without-its-digest"),
        ("PAYGRADE_API_KEYS_FILE", "/no/such/file"),
        ("PAYGRADE_WEBHOOK_SECRETS", "ada:short"),
        ("PAYGRADE_DEFAULT_MODEL", "nothing"),
        ("REDIS_URL", "redis://127.0.0.1:1/0"),
        ("REDIS_URL", "redis://no.such.host.invalid/0"),
    ],
)
def test_a_setting_that_cannot_work_is_one_clear_line_before_anything_starts(
    start_run: StartRun, setting: str, value: str
) -> None:
    run = start_run(**{setting: value})
    assert run.service.ended() == 2
    [line] = run.service.says().splitlines()
    assert line.startswith("run: ")
    assert setting in line
    assert not (run.data / "supervisord.conf").exists()


def test_a_second_run_on_the_same_data_is_refused(start_run: StartRun) -> None:
    first = start_run().up()
    second = start_run()
    assert second.service.ended() == 2
    [line] = second.service.says().splitlines()
    assert str(first.data) in line
    assert scores(first)


def test_a_run_that_was_killed_leaves_its_store_to_no_second_one(start_run: StartRun) -> None:
    """Two stores on one file would ruin it: either all of the first is gone, or the next is refused."""
    first = start_run().up()
    first.service.kill()
    second = start_run()
    said = ("Paygrade is up", "in use")
    wait_until("it is up or refused", lambda: any(words in second.service.says() for words in said))
    stores = [process for process in processes_of(first.data) if "valkey-server" in process.name()]
    assert len(stores) <= 1


def test_a_store_that_is_there_already_is_used(start_run: StartRun, start_stack: StartStack) -> None:
    stack = start_stack()
    run = start_run(REDIS_URL=stack.redis_url).up()
    done = run.caller.ended(run.caller.accepted({"years": 4.5}))
    assert stack.redis.exists(f"job:{done['id']}")
    assert not (run.data / "store").exists()
    assert run.stop(signal.SIGTERM) == 0
    assert not processes_of(run.data)
    assert stack.store_answers()


@pytest.mark.skipif(sys.platform != "linux", reason="other systems have another allocator")
def test_the_store_has_an_allocator_of_its_own(start_run: StartRun) -> None:
    store = start_run().up().part("valkey-server")
    assert any("mimalloc" in mapped.path for mapped in store.memory_maps())
