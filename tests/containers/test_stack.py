"""docker compose up on a fresh clone: the service works, and its containers are hardened."""

import json

import pytest
import requests

from tests.containers.compose import ENGINE_TIMEOUT, Compose, docker, run
from tests.integration.callers import Caller
from tests.integration.models import LADDER, publish_ladder, score_in_process, step
from tests.integration.service import wait_until
from web.keys import digest

SERVICES = ("redis", "worker", "web")
MEBIBYTE = 1024 * 1024
MAX_MEMORY = {"web": 120 * MEBIBYTE, "worker": 350 * MEBIBYTE}
"""In bytes, without load."""

each_service = pytest.mark.parametrize("service", SERVICES)


def test_the_call_of_the_article_returns_its_salary(shared: Compose) -> None:
    command = (
        f"curl -s -X POST {shared.address}/recms "
        """-H 'Content-Type: application/json' -d '{"years":"2.5"}'"""
    )
    assert run("sh", "-c", command) == '{"salary":"260.00012"}'


def test_a_prediction_can_be_posted_and_polled(caller: Caller) -> None:
    job = caller.ended(caller.accepted([{"years": 2.5}, {"years": 12.5}]))
    assert job["status"] == "succeeded"
    assert [output["prediction"] for output in job["outputs"]] == [260.00012, 749.99884]


def test_a_batch_gives_one_result_for_each_line(shared: Compose) -> None:
    file = "name,years\nada,2.5\nbob,many\ncleo,12.5\n"
    address = f"{shared.address}/v1/batches"
    posted = requests.post(address, data=file, headers={"Content-Type": "text/csv"}, timeout=30)
    assert posted.status_code == 202, posted.text
    self = shared.address + posted.headers["Location"]
    wait_until(
        "the batch has ended", lambda: requests.get(f"{self}?wait=10", timeout=30).json()["finished_at"]
    )
    assert requests.get(self, timeout=30).json()["status"] == "partially_succeeded"
    lines = requests.get(f"{self}/results", timeout=30).text.splitlines()
    assert lines[1] == "ada,260.00012,,"
    assert lines[2].startswith("bob,,")
    assert lines[3].startswith("cleo,749.99884")


@pytest.mark.parametrize(("service", "event"), [("web", "accepted"), ("worker", "recorded")])
def test_logs_are_json_with_job_ids(shared: Compose, caller: Caller, service: str, event: str) -> None:
    job_id = caller.accepted({"years": 2.5})
    caller.ended(job_id)

    def events() -> list[str]:
        lines = run("sh", "-c", f"docker logs {shared.container(service)} 2>&1").splitlines()
        entries = [json.loads(line) for line in lines]
        return [entry["event"] for entry in entries if entry.get("job_id") == job_id]

    assert wait_until("its log lines are written", events)[0] == event


def test_redis_is_configured_to_lose_no_job(shared: Compose) -> None:
    settings = shared.in_container(
        "redis", "valkey-cli", "config", "get", "maxmemory*", "append*", "save"
    ).splitlines()
    config = dict(zip(settings[::2], settings[1::2], strict=False))
    assert config["maxmemory-policy"] == "noeviction"
    assert config["appendonly"] == "yes"
    assert 0 < int(config["maxmemory"]) < shared.inspect("redis")["HostConfig"]["Memory"]


@each_service
def test_a_container_is_hardened(shared: Compose, service: str) -> None:
    host = shared.inspect(service)["HostConfig"]
    assert host["ReadonlyRootfs"]
    assert host["CapDrop"] == ["ALL"]
    assert host["CapAdd"] is None
    assert "no-new-privileges:true" in host["SecurityOpt"]
    assert host["Memory"] > 0
    assert host["RestartPolicy"]["Name"] == "unless-stopped"


def test_the_worker_reads_files_that_web_writes(shared: Compose) -> None:
    shared.in_container("web", "sh", "-c", "echo years > /files/input")
    assert shared.in_container("worker", "cat", "/files/input") == "years\n"


@each_service
def test_nothing_runs_as_root(shared: Compose, service: str) -> None:
    processes = docker("top", shared.container(service), "-eo", "pid,uid").splitlines()[1:]
    assert processes
    assert not [process for process in processes if process.split()[1] == "0"]


def test_only_web_is_published_and_only_on_loopback(shared: Compose) -> None:
    published = {
        (service, binding["HostIp"], int(binding["HostPort"]))
        for service in SERVICES
        for bindings in shared.inspect(service)["NetworkSettings"]["Ports"].values()
        for binding in bindings or ()
    }
    assert published == {("web", "127.0.0.1", shared.port)}


@pytest.mark.parametrize("service", MAX_MEMORY)
def test_a_service_without_load_uses_little_memory(shared: Compose, service: str) -> None:
    usage = docker("stats", "--no-stream", "--format", "{{.MemUsage}}", shared.container(service))
    used, unit = usage.split()[0][:-3], usage.split()[0][-3:]
    assert unit == "MiB"
    assert float(used) * MEBIBYTE < MAX_MEMORY[service]


def test_web_is_alive_but_not_ready_while_redis_is_unavailable(shared: Compose) -> None:
    assert shared.passes_check("web")
    shared.run("pause", "redis")
    try:
        assert not shared.passes_check("web")
        assert shared.status("/healthz") == 200
    finally:
        shared.run("unpause", "redis")
    wait_until("web is ready again", lambda: shared.passes_check("web"))


def test_a_hanging_worker_is_alive_but_not_ready(shared: Compose) -> None:
    assert shared.passes_check("worker")
    shared.in_container("worker", "sh", "-c", "kill -STOP -1")
    try:
        wait_until("the heartbeat is old", lambda: not shared.passes_check("worker"))
        assert shared.inspect("worker")["State"]["Running"]
    finally:
        shared.in_container("worker", "sh", "-c", "kill -CONT -1")
    wait_until("the worker is ready again", lambda: shared.passes_check("worker"))


def test_the_development_overlay_runs_changed_source(stack: Compose) -> None:
    source = stack.clone / "web" / "operating.py"
    watch = stack.start("-f", "docker-compose.yml", "-f", "docker-compose.dev.yml", "watch")
    try:
        wait_until("web answers", lambda: stack.status("/healthz") == 200, ENGINE_TIMEOUT)
        source.write_text(source.read_text().replace("/healthz", "/healthier"))
        wait_until("the change is served", lambda: stack.status("/healthier") == 200, ENGINE_TIMEOUT)
    finally:
        watch.terminate()
        watch.wait()


def test_a_folder_of_bundles_replaces_those_of_the_image(stack: Compose) -> None:
    bundles = stack.clone / "trained" / "served"
    publish_ladder(bundles)
    (stack.clone / ".env").write_text(f"BUNDLES=./trained/served\nPAYGRADE_DEFAULT_MODEL={LADDER}\n")
    stack.up()
    caller = Caller(stack.address)
    try:
        job = caller.ended(caller.accepted(step(7)))
        [score] = score_in_process([step(7)], bundles, LADDER)
        assert (job["model"]["name"], job["output"]) == (LADDER, {"prediction": score})
    finally:
        caller.close()


def test_with_api_keys_web_refuses_requests_without_one(stack: Compose) -> None:
    stack.environment["PAYGRADE_API_KEYS"] = f"alice:{digest('a key')}"
    stack.up()
    answers = [
        requests.get(f"{stack.address}/v1/predictions/x", headers=headers, timeout=10).status_code
        for headers in ({}, {"X-API-Key": "another"}, {"X-API-Key": "a key"})
    ]
    assert answers == [401, 401, 404]
