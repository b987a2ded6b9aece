"""Checks across the app template: values that are valid alone can contradict each other."""

from collections.abc import Iterator

from ecs.fargate import FARGATE_MEMORY
from ecs.redis_sizes import SHARE
from ecs.template import ParameterizedTemplate

MAX_WAIT_SECONDS = 55
"""The longest wait that a caller can request while a worker starts: Prefer: wait=55."""
API_MAX_WAIT_SECONDS = 25
"""The longest wait behind an HTTP API, where the template gives web no more."""
API_MAX_SECONDS = 30
"""After which an HTTP API ends a request."""
WEB_KEEPALIVE_SECONDS = 75
"""How long web keeps an idle connection open."""
WEB_START_SECONDS = 20
"""A quarter of a vCPU takes this long at most; web needs 0.7 s of a whole one (measured)."""
WEB_SHUTDOWN_SECONDS = 15
FARGATE_MAX_STOP_SECONDS = 120
"""The longest stop timeout that Fargate accepts."""
REDIS_LOAD_SECONDS = 120
"""An upper bound for loading a full append-only file: 390 MB take 13 s on a quarter of a vCPU (measured), and
EFS can be slow."""
_TASKS = ("WebTask", "WorkerTask", "RedisTask")


REDIS_SLOW_WRITE_SECONDS = 60
"""How long a write may wait for EFS, which stops all answers."""


def timeouts(app: ParameterizedTemplate) -> Iterator[str]:
    """Every timeout must be a little longer than the timeouts that it has to cover."""
    yield from _load_balancer_timeouts(app)
    api = app.properties("ApiIntegration")["TimeoutInMillis"] / 1000
    if not API_MAX_WAIT_SECONDS < api <= API_MAX_SECONDS:
        yield (
            f"ApiIntegration: a request ends after {api:.0f} s; it must exceed the longest wait "
            f"({API_MAX_WAIT_SECONDS} s), and {API_MAX_SECONDS} s are the most"
        )
    for logical_id in _TASKS:
        container = app.container(logical_id)
        stop = container["StopTimeout"]
        if not WEB_SHUTDOWN_SECONDS < stop <= FARGATE_MAX_STOP_SECONDS:
            yield (
                f"{logical_id}: StopTimeout is {stop} s; it must be over {WEB_SHUTDOWN_SECONDS} s "
                f"and at most {FARGATE_MAX_STOP_SECONDS} s"
            )
        if not container["HealthCheck"]["Timeout"] < container["HealthCheck"]["Interval"]:
            yield f"{logical_id}: the timeout of the health check must be shorter than its interval"


def _load_balancer_timeouts(app: ParameterizedTemplate) -> Iterator[str]:
    idle = app.attribute("LoadBalancer", "LoadBalancerAttributes", "idle_timeout.timeout_seconds")
    drain = app.attribute("WebTargets", "TargetGroupAttributes", "deregistration_delay.timeout_seconds")
    if idle <= MAX_WAIT_SECONDS:
        yield (
            f"LoadBalancer: the idle timeout is {idle} s; "
            f"it must exceed the longest wait ({MAX_WAIT_SECONDS} s)"
        )
    if idle >= WEB_KEEPALIVE_SECONDS:
        yield (
            f"LoadBalancer: the idle timeout is {idle} s; it must be below "
            f"the keep-alive of web ({WEB_KEEPALIVE_SECONDS} s)"
        )
    if drain <= MAX_WAIT_SECONDS:
        yield (
            f"WebTargets: the deregistration delay is {drain} s; "
            f"it must exceed the longest wait ({MAX_WAIT_SECONDS} s)"
        )
    targets = app.properties("WebTargets")
    if not targets["HealthCheckTimeoutSeconds"] < targets["HealthCheckIntervalSeconds"]:
        yield "WebTargets: the timeout of the health check must be shorter than its interval"
    tolerance = targets["HealthCheckIntervalSeconds"] * targets["UnhealthyThresholdCount"]
    if tolerance <= WEB_START_SECONDS:
        yield (
            f"WebTargets: a starting task counts as unhealthy after {tolerance} s; "
            f"web needs {WEB_START_SECONDS} s to start"
        )


def redis_memory(app: ParameterizedTemplate) -> Iterator[str]:
    """Redis must evict nothing, keep an append-only file, and have memory to rewrite it."""
    command = str(app.container("RedisTask")["Command"])
    for option in (
        "--maxmemory ${RedisMaxMemory}mb",
        "--maxmemory-policy noeviction",
        "--appendonly yes",
        "--requirepass",
    ):
        if option not in command:
            yield f"RedisTask: the command lacks {option}"
    start_period = app.container("RedisTask")["HealthCheck"]["StartPeriod"]
    if start_period < REDIS_LOAD_SECONDS:
        yield (
            f"RedisTask: the health check starts after {start_period} s; "
            f"loading a full file can take {REDIS_LOAD_SECONDS} s"
        )
    check = app.container("RedisTask")["HealthCheck"]
    if check["Interval"] * check["Retries"] < REDIS_SLOW_WRITE_SECONDS:
        yield (
            f"RedisTask: it is killed after {check['Interval'] * check['Retries']} s without an answer; "
            f"a write can wait {REDIS_SLOW_WRITE_SECONDS} s for EFS"
        )
    limit, memory = (int(app.parameter(name)) for name in ("RedisMaxMemory", "RedisMemory"))
    if not 0 < limit * SHARE <= memory:
        yield (
            f"RedisTask: maxmemory is {limit} MB and the task has {memory} MB; "
            "rewriting the append-only file needs as much memory again"
        )
    cache = app.properties("CacheParameters")["Properties"]
    if cache != {"maxmemory-policy": "noeviction", "cluster-enabled": "no"}:
        yield "CacheParameters: ElastiCache must run with noeviction, and without cluster mode, for Celery"


def single_redis(app: ParameterizedTemplate) -> Iterator[str]:
    """Two servers would corrupt the append-only file that they share."""
    if "flock" not in str(app.container("RedisTask")["Command"]):
        yield "RedisTask: without a lock, the server of a half-dead host and its successor share the file"
    service = app.properties("RedisService")
    deployment = service["DeploymentConfiguration"]
    percents = (deployment["MinimumHealthyPercent"], deployment["MaximumPercent"])
    if percents != (0, 100) or service["DesiredCount"] != 1:
        yield "RedisService: two tasks could run at once and write to one file"
    if service.get("AvailabilityZoneRebalancing") != "DISABLED":
        yield "RedisService: zone rebalancing could start a second task that writes to the same file"
    if service.get("LaunchType") != "FARGATE":
        yield "RedisService: the launch type must be FARGATE; Spot could reclaim the task"


def task_sizes(app: ParameterizedTemplate) -> Iterator[str]:
    """Every task must have a combination of CPU and memory that Fargate offers."""
    for logical_id in _TASKS:
        cpu = app.number(app.properties(logical_id)["Cpu"])
        memory = app.number(app.properties(logical_id)["Memory"])
        if memory not in FARGATE_MEMORY.get(cpu, ()):
            yield f"{logical_id}: Fargate does not offer {memory} MiB with {cpu} CPU units"


INVARIANTS = {
    "timeouts": timeouts,
    "Redis memory": redis_memory,
    "single Redis": single_redis,
    "task sizes": task_sizes,
}
