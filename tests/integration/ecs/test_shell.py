"""The command line behind a pipe, and at a terminal."""

import os
import pty
import subprocess

from tests.integration.ecs.cloud import Cloud
from tests.integration.service import PYTHON, ROOT


def test_a_closed_pipe_ends_the_command_quietly(cloud: Cloud, stack: str) -> None:
    plan = subprocess.Popen(
        [PYTHON, "-m", "ecs", "plan", "--tag", "v1", "--stack", stack],
        cwd=ROOT,
        env=cloud.environment(),
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert plan.stdout
    assert plan.stderr
    plan.stdout.close()
    with plan:
        assert plan.stderr.read() == b""
    assert plan.returncode == 141  # the status that a shell gives for SIGPIPE


def test_the_question_is_requested_at_the_terminal_when_the_plan_goes_to_a_pipe(
    cloud: Cloud, stack: str
) -> None:
    ours, theirs = pty.openpty()
    up = subprocess.Popen(
        [PYTHON, "-m", "ecs", "up", "--tag", "v1", "--stack", stack],
        cwd=ROOT,
        env=cloud.environment(),
        stdin=theirs,
        stdout=subprocess.PIPE,
        stderr=theirs,
    )
    os.close(theirs)
    with up, os.fdopen(ours, "rb+", buffering=0) as terminal:
        seen = b""
        while not seen.endswith(b"[y/N] "):
            seen += terminal.read(1)
        terminal.write(b"n\n")
        assert up.stdout
        plan = up.stdout.read().decode()
        answer = terminal.read(1000).decode()
    assert up.returncode == 1
    assert "WebRepository" in plan
    assert f"Change {stack}-base in region eu-central-1 of account 000000000000?" in seen.decode()
    assert f"{stack}-base was not changed" in answer
    assert "there is no deployment" in cloud.ecs("down", "--yes", "--stack", stack).err
