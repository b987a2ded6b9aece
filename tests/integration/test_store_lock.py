"""The store of compose and of ECS locks its file: a second server waits until the first is dead."""

import os
import signal
from collections.abc import Callable, Iterator
from pathlib import Path

import psutil
import pytest
import yaml
from redis import Redis, RedisError

from tests.integration.service import ROOT, Service, clean_environment, free_port, wait_until
from tests.integration.stack import store_binary

COMMAND = yaml.safe_load((ROOT / "docker-compose.yml").read_text())["services"]["redis"]["command"]
PASSWORD = "tests"

StartStore = Callable[[int], Service]


@pytest.fixture
def start_store(tmp_path: Path) -> Iterator[StartStore]:
    """Starts a server on a port, with the command of compose and one folder for all."""
    tools, data = tmp_path / "tools", tmp_path / "data"
    tools.mkdir()
    data.mkdir()
    (tools / "valkey-server").symlink_to(store_binary())
    started: list[Service] = []

    def start(port: int) -> Service:
        shell, option, line = COMMAND
        line = line.replace("$$", "$").replace("/data", str(data))
        line += f" --dir {data} --bind 127.0.0.1 --port {port}"
        environment = clean_environment(REDISCLI_AUTH=PASSWORD, PATH=f"{tools}:{os.environ['PATH']}")
        started.append(Service([shell, option, line], tmp_path / f"{port}.log", environment))
        return started[-1]

    yield start
    for service in started:
        service.kill_group()


def answers(port: int) -> bool:
    try:
        with Redis(port=port, password=PASSWORD, socket_timeout=5) as redis:
            return bool(redis.ping())
    except RedisError:
        return False


def is_waiting(service: Service) -> bool:
    return any(psutil.Process(child).name() == "flock" for child in service.children())


def test_a_second_server_waits_until_the_first_is_dead(start_store: StartStore) -> None:
    first_port, second_port = free_port(), free_port()
    first = start_store(first_port)
    wait_until("the first answers", lambda: answers(first_port))
    with Redis(port=first_port, password=PASSWORD) as redis:
        redis.set("job", "kept")
    second = start_store(second_port)
    wait_until("the second waits for the lock", lambda: is_waiting(second))
    assert not answers(second_port)
    first.send(signal.SIGKILL)
    wait_until("the second answers", lambda: answers(second_port))
    with Redis(port=second_port, password=PASSWORD, decode_responses=True) as redis:
        assert redis.get("job") == "kept"
