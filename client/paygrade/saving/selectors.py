"""Reads what only leaves columns out."""

from typing import Any

from paygrade.saving.program import Program
from paygrade.saving.reading import Traced


def read_selector(program: Program, selector: Any, traced: Traced, values: Any) -> list[int]:
    return [traced.columns[position] for position in selector.get_support(indices=True)]
