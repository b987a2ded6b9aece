"""The product's code as the tests of its structure read it."""

from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
PARTS = {
    "web": "web",
    "worker": "worker",
    "jobs": "jobs",
    "model": "model",
    "ops": "ops",
    "ecs": "ecs",
    "paygrade": "client/paygrade",
}
"""The packages, and where they are."""


def python_files(*parts: str) -> Iterator[Path]:
    """Of these packages; of all without a name."""
    for part in parts or PARTS:
        yield from sorted((ROOT / PARTS[part]).rglob("*.py"))


def lua_files() -> list[Path]:
    return sorted((ROOT / "jobs").rglob("*.lua"))


def name_of(file: Path) -> str:
    return str(file.relative_to(ROOT))
