"""Every docker command of the documents is run, in its order; what a document says it prints, it prints."""

import subprocess
from pathlib import Path

import pytest

from tests.containers.compose import STEADY, Compose
from tests.documents import DOCUMENTS, ECS_GUIDE, Example, docker_examples, name_of, prints_as_documented
from tests.integration.service import wait_until

SERVES = ("docker compose up", "docker compose -f docker-compose.yml -f docker-compose.dev.yml watch")
"""Run until they are stopped: the stack of the other tests is up, and test_stack.py starts the other one."""

WITH_DOCKER = [one for one in DOCUMENTS if one != ECS_GUIDE and docker_examples(one.read_text())]


@pytest.mark.parametrize("document", WITH_DOCKER, ids=name_of)
def test_a_document_says_what_happens(document: Path, stack: Compose) -> None:
    commands = [each for each in docker_examples(document.read_text()) if each.command not in SERVES]
    for each in commands:
        assert_as_said(stack, each)
    if commands:
        wait_until("web answers", lambda: stack.status("/healthz") == 200, STEADY)


def test_what_serves_until_it_is_stopped_is_documented() -> None:
    documented = {each.command for one in WITH_DOCKER for each in docker_examples(one.read_text())}
    assert {*SERVES} <= documented


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
        assert prints_as_documented(done.stdout.strip(), example.printed), (
            f"{example.command}\nprinted: {done.stdout}"
        )
