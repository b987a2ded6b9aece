"""scale: how many tasks of worker or web there are. Updates leave that as it is."""

import argparse

from ecs.deployment import Deployment
from ecs.errors import BadInput
from ecs.screen import Screen
from ecs.update import line

HELP = "set how many tasks a service has"
EXAMPLES = "  python -m ecs scale worker 3\n  python -m ecs scale worker 0\n"
MOST_TASKS = 5_000


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("service", choices=["worker", "web"])
    parser.add_argument("count", type=int)


def run(deployment: Deployment, screen: Screen, options: argparse.Namespace) -> int:
    if not 0 <= options.count <= MOST_TASKS:
        raise BadInput(f"{options.count} tasks cannot be had", f"a service of ECS has 0 to {MOST_TASKS}")
    before = deployment.services.one(options.service)
    if options.count == 0:
        screen.confirm(f"Stop all tasks of {options.service}? [y/N]", "nothing was changed")
    deployment.services.scale(options.service, options.count)
    deployment.services.settle(options.service, lambda service: screen.say(line(service)))
    screen.result({"service": options.service, "before": before.desired, "now": options.count})
    return 0
