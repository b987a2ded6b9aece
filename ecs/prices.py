"""An estimate of what a deployment costs, by the price lists of us-east-1."""

from ecs.keeping import warm_share
from ecs.redis_sizes import node_of
from ecs.template import ParameterizedTemplate

PRICE_LISTS = "AWS price lists for us-east-1, November 2026"
HOURS_PER_MONTH = 730
# Prices in USD.
VCPU_HOUR = 0.04048
GB_HOUR = 0.004445
LOAD_BALANCER_HOUR = 0.0225
PUBLIC_ADDRESS_HOUR = 0.005
SECRETS = 4
KEY_MONTH = 1.00
SECRET_MONTH = 0.40
SECRET_READS_MONTH = 0.43
"""Web reads two secrets once a minute."""
ALARM_MONTH = 0.10
LOGS_GB = 0.50
DNS_ZONE_MONTH = 0.50
"""Route 53: Cloud Map creates a zone for the DNS name of the Redis task."""
API_MILLION = 1.00
"""Requests of an HTTP API, which has no price of its own."""
NAT_HOUR = 0.045
ENDPOINT_HOUR = 0.01
"""NAT: for each zone, and as much for each GB. Interface endpoints: for each one and zone."""
S3_GB_MONTH = 0.023
METRIC_MONTH = 0.30
METRICS = 8
"""Those that web's keeper reports."""
EFS_WRITTEN_GB = 0.06
APPEND_ONLY_FILE_BYTES = 2_000
"""For each prediction that is posted alone; 1,200 where posts arrive together (measured)."""
APPEND_ONLY_FILE_MILLION = APPEND_ONLY_FILE_BYTES * 1e6 / 1e9 * EFS_WRITTEN_GB


def nat_month() -> float:
    """In one zone."""
    return NAT_HOUR * HOURS_PER_MONTH


def endpoints_month(count: int, zones: int = 2) -> float:
    return count * zones * ENDPOINT_HOUR * HOURS_PER_MONTH


def monthly_costs(app: ParameterizedTemplate) -> dict[str, float]:
    """USD by item, with the workers of the warm hours on demand and 1 GB of logs, without traffic."""
    front, own_redis = app.parameter("Front"), app.parameter("Redis") == "ecs"
    balanced = front == "alb"
    workers = int(app.parameter("LeastWorkers")) * warm_share(app.parameter("Warm"))
    tasks = {"web": 1.0, "worker": workers, **({"redis": 1.0} if own_redis else {})}
    public = app.parameter("PublicAddresses") == "ENABLED"
    addresses = sum(tasks.values()) * public + _balancer_addresses(app)
    costs = {task: count * _task_cost(app, f"{task.title()}Task") for task, count in tasks.items()}
    if not own_redis:
        costs["ElastiCache, two nodes"] = _nodes(app)
    if balanced:
        costs["load balancer"] = LOAD_BALANCER_HOUR * HOURS_PER_MONTH
    costs["public addresses"] = addresses * PUBLIC_ADDRESS_HOUR * HOURS_PER_MONTH
    small = (
        SECRETS * SECRET_MONTH
        + SECRET_READS_MONTH
        + _alarms(app) * ALARM_MONTH
        + LOGS_GB
        + (own_redis or front == "api") * DNS_ZONE_MONTH
    )
    if app.parameter("Production") == "yes":
        web = _task_cost(app, "WebTask") + public * PUBLIC_ADDRESS_HOUR * HOURS_PER_MONTH
        costs["second web task, key, 1 GB of access and flow logs"] = web + KEY_MONTH + LOGS_GB
    costs["secrets, alarms, logs, DNS"] = small
    costs["metrics"] = METRICS * METRIC_MONTH
    return costs


def paused_costs(app: ParameterizedTemplate) -> dict[str, float]:
    """What goes on while no task runs."""
    costs = monthly_costs(app)
    costs["public addresses"] = _balancer_addresses(app) * PUBLIC_ADDRESS_HOUR * HOURS_PER_MONTH
    return {item: cost for item, cost in costs.items() if item not in ("web", "worker", "redis", "metrics")}


def _balancer_addresses(app: ParameterizedTemplate) -> int:
    """One in each zone."""
    return 2 * (app.parameter("Front") == "alb" and app.parameter("Scheme") == "internet-facing")


def _alarms(app: ParameterizedTemplate) -> int:
    front = app.parameter("Front")
    off = {
        "Fronted": front == "none",
        "Targeted": front not in ("alb", "listener"),
        "RedisOnEcs": app.parameter("Redis") != "ecs",
    }
    return sum(not off.get(alarm.get("Condition", "")) for alarm in app.of_type("CloudWatch::Alarm"))


def rate_from_which_elasticache_is_cheaper(app: ParameterizedTemplate) -> float:
    """Predictions a second: their writes to EFS cost what ElastiCache costs more than the task of Redis."""
    address = PUBLIC_ADDRESS_HOUR * HOURS_PER_MONTH * (app.parameter("PublicAddresses") == "ENABLED")
    own = _task_cost(app, "RedisTask") + address + DNS_ZONE_MONTH + ALARM_MONTH
    millions_a_month = max(0.0, _nodes(app) - own) / APPEND_ONLY_FILE_MILLION
    return millions_a_month * 1e6 / (HOURS_PER_MONTH * 3600)


def _nodes(app: ParameterizedTemplate) -> float:
    return 2 * node_of(app).usd_per_hour * HOURS_PER_MONTH


def _task_cost(app: ParameterizedTemplate, logical_id: str) -> float:
    properties = app.properties(logical_id)
    cpu, memory = app.number(properties["Cpu"]), app.number(properties["Memory"])
    return (cpu / 1024 * VCPU_HOUR + memory / 1024 * GB_HOUR) * HOURS_PER_MONTH
