"""ps: shows the current services and tasks."""

import argparse
from dataclasses import asdict

from ecs import events
from ecs.deployment import Deployment
from ecs.errors import ResourceNotFound
from ecs.screen import Screen
from ecs.services import EcsService, EcsTask

HELP = "show services and tasks"
EXAMPLES = "  python -m ecs ps\n  python -m ecs ps --stopped\n"


def arguments(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--stopped", action="store_true", help="show the tasks that stopped in the last hour, and why"
    )


def run(deployment: Deployment, screen: Screen, options: argparse.Namespace) -> int:
    services = deployment.services.all()
    tasks = deployment.services.tasks("STOPPED" if options.stopped else "RUNNING")
    _show_services(screen, services)
    screen.print()
    _show_tasks(screen, tasks)
    try:
        address = deployment.address()
        screen.print(f"\n{address}")
    except ResourceNotFound as error:
        address = ""
        screen.print(f"\n{error}")
    counts = events.counts(deployment.events, deployment.aws.client("sqs"))
    if counts:
        screen.print(
            f"events: {counts['waiting']} messages wait; {counts['dead']} can never become a batch, and are "
            f"in {deployment.names.events}-dead"
        )
    target = deployment.domain_target()
    if target:
        screen.print(f"the domain's DNS record must point to {target}")
    screen.result(
        {
            "address": address,
            "domain_target": target,
            "events": counts,
            "services": [asdict(each) for each in services],
            "tasks": [asdict(each) for each in tasks],
        }
    )
    return 0


def _show_services(screen: Screen, services: list[EcsService]) -> None:
    screen.table(
        ("service", "desired", "running", "pending", "rollout", "version", "last event"),
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


def _show_tasks(screen: Screen, tasks: list[EcsTask]) -> None:
    if not tasks:
        screen.print("no tasks")
        return
    screen.table(
        ("task", "service", "state", "health", "image", "zone", "capacity", "started", "stop reason"),
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
