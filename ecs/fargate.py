"""The task sizes that Fargate offers."""

import re
from collections.abc import Sequence

from ecs.errors import InvalidUsage

FARGATE_MEMORY: dict[int, Sequence[int]] = {
    256: (512, 1024, 2048),
    512: range(1024, 4097, 1024),
    1024: range(2048, 8193, 1024),
    2048: range(4096, 16385, 1024),
    4096: range(8192, 30721, 1024),
    8192: range(16384, 61441, 4096),
    16384: range(32768, 122881, 8192),
}
"""The memory sizes in MiB that Fargate offers, by CPU units."""
_SIZE = re.compile(r"(\d+)/(\d+)")


def parse_size(value: str | None, option: str) -> tuple[str | None, str | None]:
    """The CPU units and MiB of a size such as 1024/2048. Raises InvalidUsage."""
    if value is None:
        return None, None
    match = _SIZE.fullmatch(value)
    cpu, memory = (int(match[1]), int(match[2])) if match else (0, 0)
    if cpu not in FARGATE_MEMORY:
        raise InvalidUsage(
            f"{option} {value}: the format is CPU/MIB, for example 1024/2048",
            f"choose the CPU units from {', '.join(map(str, FARGATE_MEMORY))}",
        )
    sizes = FARGATE_MEMORY[cpu]
    if memory not in sizes:
        raise InvalidUsage(
            f"{option} {value}: Fargate does not offer {memory} MiB with {cpu} CPU units",
            f"choose {_describe(sizes)} MiB",
        )
    return str(cpu), str(memory)


def _describe(sizes: Sequence[int]) -> str:
    if isinstance(sizes, range):
        return f"{sizes[0]} to {sizes[-1]} in steps of {sizes.step}"
    return " or ".join(map(str, sizes))
