"""The compose stack of a fresh clone, under a project name and on a port of its own."""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import requests

from tests.integration.service import ROOT, clean_environment, free_port, wait_until

ENGINE_TIMEOUT = 120.0
"""Seconds for an action of the engine."""


class NoEngine(Exception):
    """No Docker engine responds on this machine."""


class Compose:
    def __init__(self, clone: Path) -> None:
        self.clone = clone
        self.port = free_port()
        self.project = f"paygrade-{self.port}"
        self.address = f"http://127.0.0.1:{self.port}"
        self.environment = clean_environment(PORT=str(self.port), COMPOSE_PROJECT_NAME=self.project)

    def run(self, *arguments: str) -> str:
        """Runs docker compose; fails with its output."""
        return run("docker", "compose", *arguments, cwd=self.clone, environment=self.environment)

    def start(self, *arguments: str) -> subprocess.Popen[bytes]:
        """Starts docker compose for a command that runs until it is stopped; its output is dropped."""
        return subprocess.Popen(
            ["docker", "compose", *arguments],
            cwd=self.clone,
            env=self.environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )

    def override(self, services: dict[str, Any]) -> None:
        """Writes an override file, which compose reads by default."""
        (self.clone / "docker-compose.override.yml").write_text(json.dumps({"services": services}))

    def up(self, workers: int = 1) -> "Compose":
        """Returns when every service is healthy."""
        self.run("up", "--detach", "--wait", "--scale", f"worker={workers}")
        return self

    def down(self) -> None:
        self.run("down", "--volumes", "--rmi", "local", "--timeout", "0")

    def image(self, service: str) -> str:
        return f"{self.project}-{service}"

    def container(self, service: str, number: int = 1) -> str:
        return f"{self.project}-{service}-{number}"

    def inspect(self, service: str, number: int = 1) -> dict[str, Any]:
        return inspect(self.container(service, number))

    def in_container(self, service: str, *command: str, number: int = 1) -> str:
        return docker("exec", self.container(service, number), *command)

    def crash(self, service: str, number: int = 1) -> None:
        """Kills all processes, so that the restart policy has to restart the container."""
        before = self.inspect(service, number)["RestartCount"]
        subprocess.run(
            ["docker", "exec", self.container(service, number), "sh", "-c", "kill -KILL -1"],
            capture_output=True,
        )
        wait_until(
            f"{service} is restarted",
            lambda: self.inspect(service, number)["RestartCount"] > before,
            ENGINE_TIMEOUT,
        )

    def healthy(self, service: str, number: int = 1) -> bool:
        """Whether the engine reports the container as healthy, with a delay of some seconds."""
        state = self.inspect(service, number)["State"]
        return bool(state["Running"] and state["Health"]["Status"] == "healthy")

    def passes_check(self, service: str) -> bool:
        """Runs the health check now."""
        kind, *command = self.inspect(service)["Config"]["Healthcheck"]["Test"]
        shell = ["sh", "-c"] if kind == "CMD-SHELL" else []
        checked = subprocess.run(
            ["docker", "exec", self.container(service), *shell, *command], capture_output=True
        )
        return checked.returncode == 0

    def status(self, path: str) -> int | None:
        try:
            return requests.get(self.address + path, timeout=10).status_code
        except requests.RequestException:
            return None

    def logs(self, lines: int) -> str:
        return self.run("logs", "--no-color", "--tail", str(lines))


def run(
    *command: str, cwd: Path = ROOT, environment: dict[str, str] | None = None, stdin: str | None = None
) -> str:
    done = subprocess.run(
        command, cwd=cwd, env=environment, input=stdin or "", capture_output=True, text=True, timeout=600
    )
    assert done.returncode == 0, f"{' '.join(command)}\n{done.stdout}{done.stderr}"
    return done.stdout


def docker(*arguments: str) -> str:
    return run("docker", *arguments)


def inspect(thing: str) -> dict[str, Any]:
    [found] = json.loads(docker("inspect", thing))
    return dict(found)


def check_engine() -> None:
    """Raises NoEngine if no engine responds; in CI, AssertionError."""
    try:
        done = subprocess.run(["docker", "version"], capture_output=True, text=True, timeout=60)
        problem = done.stderr.strip() if done.returncode else ""
    except FileNotFoundError:
        problem = "docker is not installed"
    if problem and os.environ.get("CI") == "true":
        raise AssertionError(problem)
    if problem:
        raise NoEngine(problem)


def fresh_clone(folder: Path) -> Path:
    """Copies all files that Git does not ignore, with local changes, and no others."""
    listed = run("git", "ls-files", "--cached", "--others", "--exclude-standard", "-z")
    for name in filter(None, listed.split("\0")):
        target = folder / name
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, target)
    return folder
