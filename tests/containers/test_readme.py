"""Every docker command of the README is run, in its order; what the README says it prints, it prints."""

import subprocess

from tests.containers.compose import STEADY, Compose
from tests.integration.service import wait_until
from tests.integration.test_readme import Example, examples, says

SERVES = ("docker compose up", "docker compose -f docker-compose.yml -f docker-compose.dev.yml watch")
"""Run until they are stopped: the stack of the other tests is up, and test_stack.py starts the other one."""


def test_the_readme_says_what_happens(stack: Compose) -> None:
    commands = [each for each in examples() if each.command.startswith("docker ")]
    assert {*SERVES} <= {each.command for each in commands}
    for each in commands:
        if each.command not in SERVES:
            assert_as_said(stack, each)
    wait_until("web answers", lambda: stack.status("/healthz") == 200, STEADY)


def assert_as_said(stack: Compose, example: Example) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", example.command],
        cwd=stack.clone,
        env=stack.environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    if example.printed:  # how a build goes is nobody's promise
        assert says(done.stdout.strip(), example.printed), f"{example.command}\nprinted: {done.stdout}"
