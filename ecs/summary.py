"""What `plan` and `up` say about a deployment beside its changes: what it costs, sustains and can lose."""

import argparse

from ecs import bundles, capacity, costs, network, prices
from ecs.costs import TemplateShape
from ecs.deployment import Deployment
from ecs.durations import describe
from ecs.screen import Screen
from ecs.template import ParameterizedTemplate, Template

DURABILITY = {
    "ecs": "a stopped Redis keeps every job; a killed one, or a lost host, may lose the last seconds",
    "elasticache": "ElastiCache keeps no append-only file: a failover may lose the jobs of the last moment, "
    "and the loss of both nodes those since the daily snapshot",
}


def show(screen: Screen, shape: TemplateShape) -> None:
    app = shape.app
    for line in (_cost(shape), _by_use(shape), _rate(app), DURABILITY[app.parameter("Redis")]):
        screen.print(line)
    if app.parameter("Front") == "api":
        screen.print(
            f"the HTTP API costs {prices.API.usd:.2f} USD for each million requests, and takes no body "
            "over 10 MB: larger files go straight to S3"
        )
    if app.parameter("EventsPolicyArn"):
        screen.print(f"events cost {prices.EVENTS.usd:.2f} USD for each million ends of jobs on the bus")
    if not (shape.base.parameter("AlarmEmail") or shape.base.parameter("AlarmTopic")):
        screen.print("nobody is told of alarms: --alarm-email ADDRESS or --alarm-topic ARN")
    if app.parameter("PublicAddresses") == "DISABLED":
        screen.print(f"tasks have no public addresses; for their way out, {network.ways_out()}")
    screen.print()


def check_bundles(
    deployment: Deployment, screen: Screen, options: argparse.Namespace, parameters: dict[str, str]
) -> None:
    """Raises InvalidUsage if --bundles names what a worker could not serve."""
    values = Template("app").values(deployment.app.parameters() | parameters)
    if options.bundles and values["BundlesBucket"]:
        room = int(values["WorkerRoom"])
        screen.print(bundles.check(deployment.aws, values["BundlesBucket"], values["BundlesPrefix"], room))


def _cost(shape: TemplateShape) -> str:
    cost = costs.total(costs.monthly(shape))
    return f"about {cost:.0f} USD a month with the workers of the warm hours (estimate; {prices.PRICE_LISTS})"


def _by_use(shape: TemplateShape) -> str:
    million = costs.total(costs.per_million(shape))
    rate = costs.rate_from_which_elasticache_is_cheaper(shape)
    if shape.app.parameter("Redis") == "ecs":
        cheaper = f"from {rate:.0f} predictions/s on, --redis elasticache is cheaper"
    else:
        cheaper = f"below {rate:.0f} predictions/s, --redis ecs would be cheaper"
    return f"and {million:.2f} USD for each million predictions (python -m ecs cost); {cheaper}"


def _rate(app: ParameterizedTemplate) -> str:
    rate, limit = capacity.sustained_rate(app)
    kept = describe(int(app.parameter("RetentionSeconds")))
    line = f"sustains {rate:.0f} predictions/s with one task of each service; the limit is {limit}"
    if limit != capacity.MEMORY:
        return line
    one_key = capacity.rate_of_one_key(app)
    return f"{line}, which keeps jobs {kept} in {capacity.redis_mib(app)} MiB; one key may use {one_key:.0f}"
