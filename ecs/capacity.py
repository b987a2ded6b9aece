"""The rate of single predictions that a deployment can sustain, by its sizes."""

from ecs.redis_sizes import node_of
from ecs.template import ParameterizedTemplate

RECORD_BYTES = 430
"""What the record of a prediction of one row takes in Redis after its end; tests measure it."""
MAX_MEMORY_PERCENT = 70
MAX_MEMORY_PERCENT_PER_KEY = 25
"""Defaults of the settings; a test compares them."""
WEB_SECONDS, REDIS_SECONDS, WORKER_SECONDS = 330e-6, 100e-6, 70e-6
"""Of one vCPU, for a prediction that is posted alone and waited for. At 128 connections the benchmark
measures half to two thirds of each (benchmarks/README.md); a vCPU may be slower.
"""
MEMORY = "the memory of Redis"
NODE_VCPUS = 0.8
"""Of an ElastiCache node, for commands, of which Redis runs one at a time."""


def sustained_rate(app: ParameterizedTemplate) -> tuple[float, str]:
    """Predictions a second with one task of each service, and what limits them."""
    rates = {
        MEMORY: _memory_rate(app, "MaxMemoryPercent", MAX_MEMORY_PERCENT),
        "the CPU of web": _vcpus(app, "WebCpu") / WEB_SECONDS,
        "the CPU of Redis": _redis_vcpus(app) / REDIS_SECONDS,
        "the CPU of the worker": _vcpus(app, "WorkerCpu") / WORKER_SECONDS,
    }
    limit = min(rates, key=lambda name: rates[name])
    return rates[limit], limit


def rate_of_one_key(app: ParameterizedTemplate) -> float:
    """One key may fill a part of Redis; all keys together more."""
    own = _memory_rate(app, "MaxMemoryPercentPerKey", MAX_MEMORY_PERCENT_PER_KEY)
    return min(own or float("inf"), sustained_rate(app)[0])


def redis_mib(app: ParameterizedTemplate) -> int:
    """The memory for jobs and records."""
    if app.parameter("Redis") == "ecs":
        return int(app.parameter("RedisMaxMemory"))
    return node_of(app).mib


def _memory_rate(app: ParameterizedTemplate, setting: str, default: int) -> float:
    percent = int(app.parameter(setting) or default)
    records = redis_mib(app) * 2**20 * percent / 100 / RECORD_BYTES
    return records / int(app.parameter("RetentionSeconds"))


def _vcpus(app: ParameterizedTemplate, parameter: str) -> float:
    return int(app.parameter(parameter)) / 1024


def _redis_vcpus(app: ParameterizedTemplate) -> float:
    return min(1, _vcpus(app, "RedisCpu")) if app.parameter("Redis") == "ecs" else NODE_VCPUS
