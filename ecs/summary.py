"""What `plan` and `up` say about a deployment beside its changes: what it costs, carries and can lose."""

import argparse

from ecs import bundles, capacity, events, network, prices
from ecs.deployment import Deployment
from ecs.durations import describe
from ecs.screen import Screen
from ecs.template import ParameterizedTemplate, Template

DURABILITY = {
    "ecs": "a stopped Redis keeps every job; a killed one, or a lost host, may lose the last seconds",
    "elasticache": "ElastiCache keeps no append-only file: a failover may lose the jobs of the last moment, "
    "and the loss of both nodes those since the daily snapshot",
}


def show(screen: Screen, app: ParameterizedTemplate) -> None:
    for line in (_cost(app), _append_only_file(app), _rate(app), DURABILITY[app.parameter("Redis")]):
        screen.print(line)
    if app.parameter("Front") == "api":
        screen.print(
            f"the HTTP API costs {prices.API_MILLION:.2f} USD for each million requests, and takes no body "
            "over 10 MB: larger files are named in S3, see --set PAYGRADE_S3_ALLOW"
        )
    if app.parameter("EventsPolicyArn"):
        month = events.ALARMS * prices.ALARM_MONTH + events.REQUESTS_MONTH
        screen.print(
            f"events cost {month:.2f} USD a month for alarms and a web process that asks SQS, and "
            f"{events.BUS_MILLION:.2f} USD for each million ends of jobs on the bus"
        )
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


def _cost(app: ParameterizedTemplate) -> str:
    cost = sum(prices.monthly_costs(app).values())
    return f"about {cost:.0f} USD a month with the workers of the warm hours (estimate; {prices.PRICE_LISTS})"


def _append_only_file(app: ParameterizedTemplate) -> str:
    rate = prices.rate_from_which_elasticache_is_cheaper(app)
    if app.parameter("Redis") == "ecs":
        return (
            f"and {prices.APPEND_ONLY_FILE_MILLION:.2f} USD for each million predictions, which Redis writes "
            f"to EFS; from {rate:.0f} predictions/s on, --redis elasticache is cheaper"
        )
    return f"below {rate:.0f} predictions/s, --redis ecs would be cheaper"


def _rate(app: ParameterizedTemplate) -> str:
    rate, limit = capacity.sustained_rate(app)
    kept = describe(int(app.parameter("RetentionSeconds")))
    line = f"carries {rate:.0f} predictions/s for ever with one task of each service; the limit is {limit}"
    if limit != capacity.MEMORY:
        return line
    one_key = capacity.rate_of_one_key(app)
    return f"{line}, which keeps jobs {kept} in {capacity.redis_mib(app)} MiB; one key may use {one_key:.0f}"
