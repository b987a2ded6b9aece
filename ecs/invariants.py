"""What must hold between parts of the templates, where each part alone is right."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

from ecs.options import MEMORY

LONGEST_WAIT_SECONDS = 25
"""Of a caller: Prefer: wait=25."""
WEB_KEEPS_SECONDS = 75
"""An idle connection."""
WEB_STARTS_WITHIN_SECONDS = 20
"""On a quarter of a vCPU: it takes 0.7 s of one, measured."""
WEB_ENDS_WITHIN_SECONDS = 15
FARGATE_STOPS_AFTER_SECONDS = 120
"""At the latest."""
REDIS_READS_SECONDS = 120
"""A full file, at the most: 13 s for 390 MB on a quarter of a vCPU, measured; and EFS may be slow."""
_UNITS = {"mb": 1, "gb": 1024}


class Given:
    """A template with the parameters that it gets; what is given by none of them is its default."""

    def __init__(self, parsed: Mapping[str, Any], parameters: Mapping[str, str] | None = None) -> None:
        self._resources = parsed["Resources"]
        self._parameters = {name: each.get("Default") for name, each in parsed["Parameters"].items()}
        self._parameters |= parameters or {}

    def parameter(self, name: str) -> str:
        return str(self._parameters[name])

    def properties(self, logical: str) -> dict[str, Any]:
        found: dict[str, Any] = self._resources[logical]["Properties"]
        return found

    def number(self, value: Any) -> int:
        """Of a literal, or of the parameter that is referred to."""
        return int(self._parameters[value["Ref"]] if isinstance(value, dict) else value)

    def container(self, logical: str) -> dict[str, Any]:
        [container] = self.properties(logical)["ContainerDefinitions"]
        found: dict[str, Any] = container
        return found

    def attribute(self, logical: str, kind: str, key: str) -> int:
        return next(int(each["Value"]) for each in self.properties(logical)[kind] if each["Key"] == key)


def timeouts(app: Given) -> Iterator[str]:
    """Each waits a little longer than the one that it waits for."""
    idle = app.attribute("LoadBalancer", "LoadBalancerAttributes", "idle_timeout.timeout_seconds")
    drain = app.attribute("WebTargets", "TargetGroupAttributes", "deregistration_delay.timeout_seconds")
    if idle <= LONGEST_WAIT_SECONDS:
        yield f"the load balancer gives up after {idle} s, before the longest wait ({LONGEST_WAIT_SECONDS} s)"
    if idle >= WEB_KEEPS_SECONDS:
        yield f"web closes idle connections after {WEB_KEEPS_SECONDS} s, before the load balancer ({idle} s)"
    if drain <= LONGEST_WAIT_SECONDS:
        yield f"a web task that ends is let go after {drain} s, before the longest wait"
    for logical in ("WebTask", "WorkerTask", "RedisTask"):
        container = app.container(logical)
        if not WEB_ENDS_WITHIN_SECONDS < container["StopTimeout"] <= FARGATE_STOPS_AFTER_SECONDS:
            yield f"{logical}: {container['StopTimeout']} s to end are too few, or more than Fargate has"
        if not container["HealthCheck"]["Timeout"] < container["HealthCheck"]["Interval"]:
            yield f"{logical}: a health check takes longer than the time between two"
    targets = app.properties("WebTargets")
    if not targets["HealthCheckTimeoutSeconds"] < targets["HealthCheckIntervalSeconds"]:
        yield "the load balancer's health check takes longer than the time between two"
    patience = targets["HealthCheckIntervalSeconds"] * targets["UnhealthyThresholdCount"]
    if patience <= WEB_STARTS_WITHIN_SECONDS:
        yield f"a web task that is starting is given up after {patience} s"


def memory(app: Given) -> Iterator[str]:
    """Redis drops nothing, keeps a file, and has room to rewrite it."""
    words = " ".join(app.container("RedisTask")["Command"])
    for wanted in ("--maxmemory-policy noeviction", "--appendonly yes", "--requirepass"):
        if wanted not in words:
            yield f"Redis runs without {wanted}"
    if app.container("RedisTask")["HealthCheck"]["StartPeriod"] < REDIS_READS_SECONDS:
        yield "Redis is killed while it still reads its file"
    found = re.search(r"--maxmemory (\d+)(mb|gb)", words)
    limit = int(found[1]) * _UNITS[found[2]] if found else 0
    has = app.number(app.properties("RedisTask")["Memory"])
    if not 0 < limit <= has * 0.6:
        yield f"Redis may use {limit} MB of its task's {has}: rewriting its file needs as much again"
    cache = app.properties("CacheParameters")["Properties"]
    if cache != {"maxmemory-policy": "noeviction", "cluster-enabled": "no"}:
        yield "ElastiCache would drop jobs, or have a cluster, which Celery cannot use"


def one_redis(app: Given) -> Iterator[str]:
    """Two servers on one append-only file would ruin it."""
    service = app.properties("RedisService")
    deployment = service["DeploymentConfiguration"]
    percents = (deployment["MinimumHealthyPercent"], deployment["MaximumPercent"])
    if percents != (0, 100) or service["DesiredCount"] != 1:
        yield "two Redis tasks may run at once, on one file"
    if service.get("AvailabilityZoneRebalancing") != "DISABLED":
        yield "ECS may start a second Redis in another zone, on one file"
    if service.get("LaunchType") != "FARGATE":
        yield "Redis may run on Spot, which takes it away"


def sizes(app: Given) -> Iterator[str]:
    for logical in ("WebTask", "WorkerTask", "RedisTask"):
        cpu = app.number(app.properties(logical)["Cpu"])
        has = app.number(app.properties(logical)["Memory"])
        if has not in MEMORY.get(cpu, ()):
            yield f"{logical}: Fargate has no {cpu} CPU units with {has} MiB"


INVARIANTS = {
    "timeouts in order": timeouts,
    "memory of Redis": memory,
    "one Redis": one_redis,
    "sizes": sizes,
}
