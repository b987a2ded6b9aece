"""run: one command in a task of its own, with what it writes and its exit status."""

import argparse
import time

from ecs.deployment import Deployment
from ecs.errors import EcsError
from ecs.logs import Reading
from ecs.once import Ended, Once
from ecs.screen import Screen
from ecs.state import needs

HELP = "run one command as a task"
EXAMPLES = """\
  python -m ecs run -- python -m model --help
  python -m ecs run --service web -- python -m ops capacity
"""


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--service", choices=["worker", "web"], default="worker", help="whose image and rights (%(default)s)"
    )
    parser.add_argument("command", nargs="+", help="after --")


def run(deployment: Deployment, screen: Screen, options: argparse.Namespace) -> int:
    needs(deployment.app.state(), deployment.names.app)
    once = Once(deployment.aws.client("ecs"), deployment.names, deployment.wait)
    begun = int(time.time() * 1000) - 60_000
    task = once.start(options.service, options.command)
    with once.stopped_on_error(task):
        ended = _watch(deployment, screen, options, once, task, begun)
    screen.result({"task": ended.task, "exit_status": ended.exit_status, "reason": ended.reason})
    if ended.exit_status is None:
        raise EcsError(f"the task did not run: {ended.reason}", "python -m ecs ps --stopped has more of it")
    if ended.exit_status:
        screen.say(f"exit status {ended.exit_status}: {ended.reason}")
    return ended.exit_status


def _watch(
    deployment: Deployment, screen: Screen, options: argparse.Namespace, once: Once, task: str, begun: int
) -> Ended:
    name = task.rpartition("/")[2]
    screen.say(f"task {name} runs {' '.join(options.command)}")
    reading = Reading(deployment, [options.service], begun, f"{options.service}/{options.service}/{name}")

    def show(status: str) -> None:
        for _, event in reading.more():
            screen.say(event["message"].rstrip())

    ended = once.wait_for(task, show)
    deployment.wait(2)  # the last lines come after the end
    show("")
    return ended
