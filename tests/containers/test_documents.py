"""Every docker command in the documents runs, in order, and prints what the document shows."""

import subprocess
from pathlib import Path

import pytest

from tests.containers.compose import Compose
from tests.documents import DOCUMENTS, ECS_GUIDE, Example, docker_examples, name_of, prints_as_documented
from tests.integration.service import wait_until

ANSWERS_WITHIN_SECONDS = 120.0
LONG_RUNNING = ("docker compose up", "docker compose -f docker-compose.yml -f docker-compose.dev.yml watch")
"""Run until they are stopped. Other tests start these stacks."""

WITH_DOCKER = [one for one in DOCUMENTS if one != ECS_GUIDE and docker_examples(one.read_text())]


@pytest.mark.parametrize("document", WITH_DOCKER, ids=name_of)
def test_commands_print_what_the_document_shows(document: Path, stack: Compose) -> None:
    commands = [each for each in docker_examples(document.read_text()) if each.command not in LONG_RUNNING]
    for each in commands:
        assert_matches(stack, each)
    if commands:
        wait_until("web answers", lambda: stack.status("/healthz") == 200, ANSWERS_WITHIN_SECONDS)


def test_the_long_running_commands_are_documented() -> None:
    documented = {each.command for one in WITH_DOCKER for each in docker_examples(one.read_text())}
    assert {*LONG_RUNNING} <= documented


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
        assert prints_as_documented(done.stdout.strip(), example.printed), (
            f"{example.command}\nprinted: {done.stdout}"
        )
