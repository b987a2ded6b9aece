"""resume: starts what pause has stopped. Workers come by themselves if jobs wait, or in the warm hours."""

import argparse

from ecs.alarms import alarm_names
from ecs.deployment import Deployment
from ecs.screen import Screen
from ecs.stack_state import require_stable

HELP = "start what pause has stopped"
EXAMPLES = "  python -m ecs resume\n"
ORDER = ("redis", "web")


def arguments(parser: argparse.ArgumentParser) -> None:
    """Takes no options."""


def run(deployment: Deployment, screen: Screen, options: argparse.Namespace) -> int:
    require_stable(deployment.app.state(), deployment.names.app)
    started = []
    for name in ORDER:
        service = deployment.services.get(name)
        if service.desired == 0:
            deployment.services.scale(name, deployment.services.remembered_count(service))
            started.append(name)
        deployment.services.wait_until_stable(name, lambda service: screen.print(service.summary))
    deployment.aws.client("cloudwatch").enable_alarm_actions(AlarmNames=alarm_names(deployment.names))
    screen.print("web starts a worker if jobs wait, or in the warm hours")
    screen.result({"resumed": started})
    return 0
