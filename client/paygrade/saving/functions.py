"""Reads FunctionTransformer: functions of NumPy only."""

from typing import Any

from paygrade.saving.errors import SaveRefused
from paygrade.saving.program import Program
from paygrade.saving.reading import Traced


def read_function(program: Program, transformer: Any, traced: Traced) -> list[int]:
    if transformer.func is None:
        return traced.columns
    raise SaveRefused(f"FunctionTransformer of {transformer.func} is not supported")
