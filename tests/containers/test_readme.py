"""Every docker command in README.md runs, in order, and prints what the page shows."""

import subprocess

from tests.containers.compose import ENGINE_TIMEOUT, Compose
from tests.integration.service import wait_until
from tests.integration.test_readme import Example, examples, says

LONG_RUNNING = ("docker compose up", "docker compose -f docker-compose.yml -f docker-compose.dev.yml watch")
"""Run until they are stopped. Other tests start these stacks."""


def test_commands_print_what_the_readme_shows(stack: Compose) -> None:
    commands = [each for each in examples() if each.command.startswith("docker ")]
    assert {*LONG_RUNNING} <= {each.command for each in commands}
    for each in commands:
        if each.command not in LONG_RUNNING:
            assert_matches(stack, each)
    wait_until("web answers", lambda: stack.status("/healthz") == 200, ENGINE_TIMEOUT)


def assert_matches(stack: Compose, example: Example) -> None:
    done = subprocess.run(
        ["/bin/sh", "-c", example.command],
        cwd=stack.clone,
        env=stack.environment,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    if example.printed:  # the output of builds is not documented
        assert says(done.stdout.strip(), example.printed), f"{example.command}\nprinted: {done.stdout}"
