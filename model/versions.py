"""Whether the installed XGBoost reads a model as the version did that saved it."""

import re

from model.description.errors import BundleError
from model.engines.xgboost import installed_version

Version = tuple[int, ...]

LEAF_SIZE = re.compile(rb'size_leaf_vector(?:"\s*:\s*"|SL\x00{7}.)(\d+)', re.DOTALL)
FIRST_VECTOR_LEAVES, VECTOR_LEAVES = (2, 0), (3, 2)
"""From these versions on trees can have several numbers in a leaf, and are saved as they are now."""
NEEDS_PYTHON_3_12 = (3, 3)


def parse(version: str) -> Version:
    """Return major and minor version: those that change how models are saved and scored."""
    return tuple(int(part) for part in version.split(".")[:2])


def check_readable(model: bytes, version: str, location: str) -> None:
    """Raise BundleError, which names `location`, for a model that the installed XGBoost would misread.

    `version` saved it, or is empty if the model does not tell.
    """
    installed = installed_version()
    if version and parse(version) > parse(installed):
        raise BundleError(
            f"{location}: was saved by XGBoost {version}, and XGBoost {installed} may misread it; use "
            f"XGBoost {version} or newer, {_where(version)}"
        )
    # XGBoost itself would end the process.
    if version and FIRST_VECTOR_LEAVES <= parse(version) < VECTOR_LEAVES and _has_vector_leaves(model):
        raise BundleError(
            f"{location}: has trees with several numbers in a leaf, as XGBoost {version} saved them, and "
            f"XGBoost {installed} cannot read these; train it again with XGBoost 3.2 or newer, or with "
            'multi_strategy="one_output_per_tree"'
        )


def _where(version: str) -> str:
    if parse(installed_version()) < NEEDS_PYTHON_3_12 <= parse(version):
        return "which needs Python 3.12 or newer: make clean, then make PYTHON=python3.13 run"
    return "which a newer Paygrade may have"


def _has_vector_leaves(model: bytes) -> bool:
    return any(int(size) > 1 for size in LEAF_SIZE.findall(model))
