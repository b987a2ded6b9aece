"""ps: services and tasks, as they are."""

import argparse
from dataclasses import asdict

from ecs.deployment import Deployment
from ecs.errors import NotThere
from ecs.screen import Screen
from ecs.services import Service, Task

HELP = "show services and tasks"
EXAMPLES = "  python -m ecs ps\n  python -m ecs ps --stopped\n"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--stopped", action="store_true", help="the tasks that stopped within the hour, and why"
    )


def run(deployment: Deployment, screen: Screen, options: argparse.Namespace) -> int:
    services = deployment.services.all()
    tasks = deployment.services.tasks("STOPPED" if options.stopped else "RUNNING")
    _show_services(screen, services)
    screen.say()
    _show_tasks(screen, tasks)
    try:
        address = deployment.address()
        screen.say(f"\n{address}")
    except NotThere as error:
        address = ""
        screen.say(f"\n{error}")
    target = deployment.domain_target()
    if target:
        screen.say(f"DNS has to point it to {target}")
    screen.result(
        {
            "address": address,
            "domain_target": target,
            "services": [asdict(each) for each in services],
            "tasks": [asdict(each) for each in tasks],
        }
    )
    return 0


def _show_services(screen: Screen, services: list[Service]) -> None:
    screen.table(
        ("service", "desired", "running", "pending", "rollout", "version", "last said"),
        [
            (
                each.name,
                str(each.desired),
                str(each.running),
                str(each.pending),
                each.rollout.lower(),
                each.task_definition,
                each.last_event,
            )
            for each in services
        ],
    )


def _show_tasks(screen: Screen, tasks: list[Task]) -> None:
    if not tasks:
        screen.say("no tasks")
        return
    screen.table(
        ("task", "of", "state", "health", "image", "zone", "on", "since", "stopped by"),
        [
            (
                each.id,
                each.service,
                each.status.lower(),
                each.health.lower(),
                each.image,
                each.zone,
                each.provider.lower(),
                f"{each.started:%Y-%m-%d %H:%M}" if each.started else "",
                each.stopped,
            )
            for each in tasks
        ],
    )
