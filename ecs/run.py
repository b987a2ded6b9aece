"""run: runs one command in a task of its own, and returns its log lines and exit status."""

import argparse
import time

from ecs.deployment import Deployment
from ecs.errors import EcsError
from ecs.logs import LogReader
from ecs.one_off_tasks import OneOffTasks, TaskResult
from ecs.screen import Screen
from ecs.stack_state import require_stable

HELP = "run one command in a task of its own"
EXAMPLES = """\
  python -m ecs run -- python -m ops capacity
  python -m ecs run --service web -- python -m ops jobs list
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--service",
        choices=["worker", "web"],
        default="worker",
        help="service whose image and permissions the task gets (default: %(default)s)",
    )
    parser.add_argument("command", nargs="+", help="the command, after --")


def run(deployment: Deployment, screen: Screen, options: argparse.Namespace) -> int:
    require_stable(deployment.app.state(), deployment.names.app)
    tasks = OneOffTasks(deployment.aws.client("ecs"), deployment.names, deployment.wait)
    since_ms = int(time.time() * 1000) - 60_000
    task = tasks.start(options.service, options.command)
    with tasks.stop_on_error(task):
        result = _watch(deployment, screen, options, tasks, task, since_ms)
    screen.result({"task": result.task, "exit_status": result.exit_status, "reason": result.reason})
    if result.exit_status is None:
        raise EcsError(
            f"the task did not run the command: {result.reason}", "python -m ecs ps --stopped shows details"
        )
    if result.exit_status:
        screen.print(f"exit status {result.exit_status}: {result.reason}")
    return result.exit_status


def _watch(
    deployment: Deployment,
    screen: Screen,
    options: argparse.Namespace,
    tasks: OneOffTasks,
    task: str,
    since_ms: int,
) -> TaskResult:
    name = task.rpartition("/")[2]
    screen.print(f"task {name} runs {' '.join(options.command)}")
    stream = f"{options.service}/{options.service}/{name}"
    reader = LogReader(deployment, [options.service], since_ms, stream)

    def show_new_lines(status: str = "") -> None:
        for _, event in reader.read():
            screen.print(event["message"].rstrip())

    result = tasks.wait_until_stopped(task, show_new_lines)
    deployment.wait(2)  # CloudWatch delivers the last lines after the task has stopped
    show_new_lines()
    return result
