"""scale: sets how many tasks web has. Updates keep the count; web's keeper sizes the workers."""

import argparse

from ecs.deployment import Deployment
from ecs.errors import InvalidUsage
from ecs.keeping import MAX_TASKS
from ecs.screen import Screen

HELP = "set how many tasks a service has"
EXAMPLES = "  python -m ecs scale web 2\n"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("service", choices=["worker", "web"], help="the service to scale")
    parser.add_argument("count", type=int, help=f"number of tasks, 0 to {MAX_TASKS}")


def run(deployment: Deployment, screen: Screen, options: argparse.Namespace) -> int:
    if options.service == "worker":
        raise InvalidUsage(
            "web sizes the workers by what waits, and would soon change their number again",
            f"python -m ecs up --least {max(options.count, 0)} --most {max(options.count, 1)} bounds it",
        )
    if not 0 <= options.count <= MAX_TASKS:
        raise InvalidUsage(
            f"{options.count} is not a possible number of tasks for {options.service}",
            f"choose 0 to {MAX_TASKS}, the limits of an ECS service",
        )
    before = deployment.services.get(options.service)
    if options.count == 0:
        screen.confirm(f"Stop all tasks of {options.service}? [y/N]", "nothing was changed")
    to(deployment, screen, options.service, options.count)
    screen.result({"service": options.service, "before": before.desired, "now": options.count})
    return 0


def to(deployment: Deployment, screen: Screen, service: str, count: int) -> None:
    """Waits until the service has this many tasks."""
    deployment.services.scale(service, count)
    deployment.services.wait_until_stable(service, lambda state: screen.print(state.summary))
