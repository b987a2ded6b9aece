"""An estimate of what a deployment costs, by the price lists of us-east-1."""

from ecs.keeping import warm_share
from ecs.template import ParameterizedTemplate

PRICE_LISTS = "AWS price lists for us-east-1, November 2026"
HOURS_PER_MONTH = 730
# Prices in USD.
VCPU_HOUR = 0.04048
GB_HOUR = 0.004445
LOAD_BALANCER_HOUR = 0.0225
PUBLIC_ADDRESS_HOUR = 0.005
CACHE_NODE_HOUR = 0.0128
"""cache.t4g.micro with Valkey."""
SECRET_MONTH = 0.40
ALARM_MONTH = 0.10
LOGS_GB = 0.50
DNS_ZONE_MONTH = 0.50
"""Route 53: Cloud Map creates a zone for the DNS name of the Redis task."""
S3_GB_MONTH = 0.023
METRIC_MONTH = 0.30
METRICS = 8
"""Those that web's keeper reports."""


def monthly_costs(app: ParameterizedTemplate) -> dict[str, float]:
    """USD by item, with the workers of the warm hours on demand and 1 GB of logs, without traffic."""
    balanced, own_redis = app.parameter("LoadBalancing") == "yes", app.parameter("Redis") == "ecs"
    workers = int(app.parameter("LeastWorkers")) * warm_share(app.parameter("Warm"))
    tasks = {"web": 1.0, "worker": workers, **({"redis": 1.0} if own_redis else {})}
    addresses = sum(tasks.values()) + 2 * balanced  # the load balancer has one in each zone
    costs = {task: count * _task_cost(app, f"{task.title()}Task") for task, count in tasks.items()}
    if not own_redis:
        costs["ElastiCache, two nodes"] = 2 * CACHE_NODE_HOUR * HOURS_PER_MONTH
    if balanced:
        costs["load balancer"] = LOAD_BALANCER_HOUR * HOURS_PER_MONTH
    costs["public addresses"] = addresses * PUBLIC_ADDRESS_HOUR * HOURS_PER_MONTH
    small = 3 * SECRET_MONTH + _alarms(app) * ALARM_MONTH + LOGS_GB + own_redis * DNS_ZONE_MONTH
    costs["secrets, alarms, logs, DNS"] = small
    costs["metrics"] = METRICS * METRIC_MONTH
    return costs


def paused_costs(app: ParameterizedTemplate) -> dict[str, float]:
    """What goes on while no task runs."""
    costs = monthly_costs(app)
    costs["public addresses"] = (
        2 * (app.parameter("LoadBalancing") == "yes") * PUBLIC_ADDRESS_HOUR * HOURS_PER_MONTH
    )
    return {item: cost for item, cost in costs.items() if item not in ("web", "worker", "redis", "metrics")}


def _alarms(app: ParameterizedTemplate) -> int:
    off = {"Balanced": app.parameter("LoadBalancing") == "no", "RedisOnEcs": app.parameter("Redis") != "ecs"}
    return sum(not off.get(alarm.get("Condition", "")) for alarm in app.of_type("CloudWatch::Alarm"))


def _task_cost(app: ParameterizedTemplate, logical_id: str) -> float:
    properties = app.properties(logical_id)
    cpu, memory = app.number(properties["Cpu"]), app.number(properties["Memory"])
    return (cpu / 1024 * VCPU_HOUR + memory / 1024 * GB_HOUR) * HOURS_PER_MONTH
