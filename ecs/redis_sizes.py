"""How large Redis is: the size of its task, or the type of its ElastiCache nodes, for the memory of jobs."""

from typing import NamedTuple

from ecs.errors import InvalidUsage
from ecs.fargate import FARGATE_MEMORY
from ecs.template import ParameterizedTemplate

SHARE = 2
"""Redis' task has this many times the memory for jobs: rewriting the append-only file takes as much again."""
_MAX_CPU = 4096
"""Redis uses one vCPU for commands, and more only while it rewrites its file."""


class Node(NamedTuple):
    type: str
    bytes: int
    """Its maxmemory, of which ElastiCache reserves a quarter."""

    @property
    def mib(self) -> int:
        """What jobs may take."""
        return int(self.bytes * 0.75) // 2**20


NODES = (
    Node("cache.t4g.micro", 536_870_912),
    Node("cache.t4g.small", 1_471_026_299),
    Node("cache.t4g.medium", 3_317_862_236),
    Node("cache.r7g.large", 14_037_181_030),
    Node("cache.r7g.xlarge", 28_261_849_702),
)
"""ElastiCache user guide, `Redis OSS node-type specific parameters`."""


def node_of(app: ParameterizedTemplate) -> Node:
    return next(node for node in NODES if node.type == app.parameter("CacheNodeType"))


def redis_parameters(mib: int | None, option: str = "--redis-memory") -> dict[str, int | str]:
    """The sizes of both kinds of Redis, so that a later change of the kind keeps the memory."""
    if mib is None:
        return {}
    tasks = _tasks()
    if mib * SHARE not in tasks:
        most = max(tasks) // SHARE
        raise InvalidUsage(
            f"{option} {mib}: Fargate has no task with twice this memory",
            f"choose 256, 512, or a multiple of 512 up to {most}",
        )
    memory = mib * SHARE
    cpu = tasks[memory]
    return {
        "RedisCpu": cpu,
        "RedisMemory": memory,
        "RedisMaxMemory": mib,
        "CacheNodeType": next(node.type for node in NODES if node.mib >= mib),
    }


def _tasks() -> dict[int, int]:
    """The fewest CPU units for each memory size."""
    sizes = [(memory, cpu) for cpu, each in FARGATE_MEMORY.items() if cpu <= _MAX_CPU for memory in each]
    return dict(reversed(sizes))
