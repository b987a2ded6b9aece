"""What a deployment costs, by the price lists of us-east-1: an estimate."""

from ecs.invariants import Given

OF = "AWS' lists for us-east-1 as of November 2026"
HOURS = 730
"""Of a month. What follows is in USD."""
VCPU_HOUR = 0.04048
GB_HOUR = 0.004445
BALANCER_HOUR = 0.0225
ADDRESS_HOUR = 0.005
CACHE_NODE_HOUR = 0.0128
"""cache.t4g.micro with Valkey."""
SECRET_MONTH = 0.40
ALARM_MONTH = 0.10
LOGS_GB = 0.50
DNS_ZONE_MONTH = 0.50
"""Of Route 53: Cloud Map makes one for the name of Redis' task."""
S3_GB_MONTH = 0.023


def month(app: Given) -> dict[str, float]:
    """One task of each service, on demand; a gigabyte of logs. Requests, traffic and files come on top."""
    balanced, own_redis = app.parameter("LoadBalancing") == "yes", app.parameter("Redis") == "ecs"
    tasks = ["web", "worker", *(["redis"] if own_redis else [])]
    addresses = len(tasks) + 2 * balanced  # the load balancer has one in each zone
    alarms = 5 if balanced else 3
    costs = {task: _task(app, f"{task.title()}Task") for task in tasks}
    if not own_redis:
        costs["ElastiCache, two nodes"] = 2 * CACHE_NODE_HOUR * HOURS
    if balanced:
        costs["load balancer"] = BALANCER_HOUR * HOURS
    costs["public addresses"] = addresses * ADDRESS_HOUR * HOURS
    small = 3 * SECRET_MONTH + alarms * ALARM_MONTH + LOGS_GB + own_redis * DNS_ZONE_MONTH
    costs["secrets, alarms, logs, DNS"] = small
    return costs


def _task(app: Given, logical: str) -> float:
    properties = app.properties(logical)
    cpu, memory = app.number(properties["Cpu"]), app.number(properties["Memory"])
    return (cpu / 1024 * VCPU_HOUR + memory / 1024 * GB_HOUR) * HOURS
