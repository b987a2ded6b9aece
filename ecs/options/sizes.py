"""How large tasks and Redis are, what they keep, and what they serve."""

import argparse

from ecs.bundles import bundle_parameters
from ecs.durations import parse_duration
from ecs.errors import InvalidUsage
from ecs.fargate import parse_size
from ecs.images import OPTIONS
from ecs.keeping import MAX_TASKS
from ecs.redis_sizes import redis_parameters
from ecs.settings import setting_parameters
from ecs.template import Template

_SECONDS_PER_DAY = 86_400
_DAYS_BEHIND_RETENTION = 30


def add_size_options(group: argparse._ArgumentGroup) -> None:
    group.add_argument(
        "--redis", choices=["ecs", "elasticache"], help="Redis as a task (ecs, the default) or in ElastiCache"
    )
    add_arch_option(group)
    group.add_argument("--web-size", metavar="CPU/MIB", help="size of a web task (default: 256/512)")
    group.add_argument("--web-count", type=int, metavar="N", help="number of web tasks (default: 1)")
    group.add_argument("--worker-size", metavar="CPU/MIB", help="size of a worker task (default: 512/1024)")
    group.add_argument(
        "--redis-memory", type=int, metavar="MIB", help="memory of Redis for jobs (default: 512)"
    )
    group.add_argument(
        "--retention", metavar="TIME", help="how long a job is kept after its end, as 10m or 6h (default: 6h)"
    )
    group.add_argument(
        "--bundles",
        metavar="s3://BUCKET/PREFIX",
        help="the bundles to serve; image for those of the image (the default)",
    )
    group.add_argument(
        "--set",
        dest="settings",
        action="append",
        default=[],
        metavar="NAME=VALUE",
        help="a setting of .env.example; NAME= sets its default again; can be repeated",
    )


def add_arch_option(group: argparse._ActionsContainer) -> None:
    group.add_argument(
        "--arch",
        choices=list(OPTIONS.values()),
        help="architecture of processors and images; tasks of arm64 cost a fifth less (default: x86_64)",
    )


def size_parameters(options: argparse.Namespace) -> dict[str, str | int | None]:
    """The parameters of the app. Raises InvalidUsage for values that AWS, web or the workers would refuse."""
    _check_count(options.web_count)
    web_cpu, web_memory = parse_size(options.web_size, "--web-size")
    worker_cpu, worker_memory = parse_size(options.worker_size, "--worker-size")
    minimum = Template("app").parameters["WorkerMemory"]["MinValue"]
    if worker_memory and int(worker_memory) < minimum:
        raise InvalidUsage(
            f"--worker-size {options.worker_size}: too little memory for the processes of a worker",
            f"choose at least {minimum} MiB",
        )
    return {
        "Redis": options.redis,
        "Architecture": next((each for each, name in OPTIONS.items() if name == options.arch), None),
        "RetentionSeconds": _retention(options.retention),
        "WebCpu": web_cpu,
        "WebMemory": web_memory,
        "WorkerCpu": worker_cpu,
        "WorkerMemory": worker_memory,
        **redis_parameters(options.redis_memory),
        **bundle_parameters(options.bundles),
        **setting_parameters(options.settings),
    }


def files_days(options: argparse.Namespace) -> int | None:
    """When S3 deletes a file of a batch that no worker has deleted."""
    retention = _retention(options.retention)
    return None if retention is None else -(-retention // _SECONDS_PER_DAY) + _DAYS_BEHIND_RETENTION


def _retention(value: str | None) -> int | None:
    if value is None:
        return None
    seconds = parse_duration(value, "--retention")
    minimum = Template("app").parameters["RetentionSeconds"]["MinValue"]
    if seconds < minimum:
        raise InvalidUsage(f"--retention {value}: a job is kept for {minimum} s at least", "--retention 10m")
    return seconds


def _check_count(count: int | None) -> None:
    if count is not None and not 1 <= count <= MAX_TASKS:
        raise InvalidUsage(
            f"--web-count {count}: web has 1 to {MAX_TASKS} tasks", "for example --web-count 2"
        )
