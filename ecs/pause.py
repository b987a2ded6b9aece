"""pause: stops all tasks. What waits stays in the file of Redis; resume goes on from there."""

import argparse

from ecs import costs, prices
from ecs.alarms import alarm_names
from ecs.deployment import Deployment
from ecs.errors import InvalidUsage
from ecs.screen import Screen
from ecs.stack_state import require_stable

HELP = "stop all tasks, and keep the jobs"
EXAMPLES = "  python -m ecs pause\n  python -m ecs resume\n"
ORDER = ("web", "worker", "worker-spot", "redis")
"""Web first: it would start workers again. Redis last: the others write to it until they have stopped."""


def arguments(parser: argparse.ArgumentParser) -> None:
    """Takes no options."""


def run(deployment: Deployment, screen: Screen, options: argparse.Namespace) -> int:
    state = require_stable(deployment.app.state(), deployment.names.app)
    if state.parameters.get("Redis") == "elasticache":
        raise InvalidUsage(
            "the nodes of ElastiCache cannot be stopped, and cost the most of what runs",
            "python -m ecs up --warm never lets the workers sleep while nothing waits",
        )
    services = {service.name: service for service in deployment.services.all()}
    if all(service.desired == 0 for service in services.values()):
        screen.print("all tasks are stopped already; python -m ecs resume starts them")
        screen.result({"paused": []})
        return 0
    screen.confirm("Stop all tasks? Callers are refused until resume. [y/N]", "nothing was changed")
    deployment.aws.client("cloudwatch").disable_alarm_actions(AlarmNames=alarm_names(deployment.names))
    for name in [name for name in ORDER if name in services]:
        if services[name].desired:
            deployment.services.remember_count(services[name])
        deployment.services.scale(name, 0)
        deployment.services.wait_until_stable(name, lambda service: screen.print(service.summary))
    cost = costs.total(costs.paused(costs.TemplateShape.of(deployment.base.parameters(), state.parameters)))
    screen.print(f"paused: what waits is kept; about {cost:.0f} USD a month go on ({prices.PRICE_LISTS})")
    screen.result({"paused": list(services), "usd_a_month": round(cost, 2)})
    return 0
