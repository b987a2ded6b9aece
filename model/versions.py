"""Which XGBoost saved a model, as its bytes tell, and whether the installed one can read it."""

import re

import xgboost

from model.description.errors import BundleError

Version = tuple[int, ...]

# The last key of a model; a name or an attribute could look like it, but comes before.
JSON_VERSION = re.compile(rb'"version"\s*:\s*\[\s*(\d+)\s*,\s*(\d+)\s*,\s*(\d+)\s*\]')
UBJSON_VERSION = re.compile(rb"\x07version\[#L\x00{7}\x03i(.)i(.)i(.)", re.DOTALL)
LEAF_SIZE = re.compile(rb'size_leaf_vector(?:"\s*:\s*"|SL\x00{7}.)(\d+)', re.DOTALL)
FIRST_VECTOR_LEAVES, VECTOR_LEAVES = (2, 0), (3, 2)
"""From these versions on trees can have several numbers in a leaf, and are saved as they are now."""
NEEDS_PYTHON_3_12 = (3, 3)


def saved_by(model: bytes) -> str:
    """Return the version of XGBoost that saved a model, such as "3.2.0"; empty if the file does not tell."""
    if found := JSON_VERSION.findall(model):
        return b".".join(found[-1]).decode()
    if found := UBJSON_VERSION.findall(model):
        return ".".join(str(part[0]) for part in found[-1])
    return ""


def parse(version: str) -> Version:
    """Return major and minor version: those that change how models are saved and scored."""
    return tuple(int(part) for part in version.split(".")[:2])


def check_readable(model: bytes, location: str) -> None:
    """Raise BundleError, which names `location`, for a model that the installed XGBoost would misread."""
    version, installed = saved_by(model), xgboost.__version__
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
    if parse(xgboost.__version__) < NEEDS_PYTHON_3_12 <= parse(version):
        return "which needs Python 3.12 or newer: make clean, then make PYTHON=python3.13 run"
    return "which a newer Paygrade may have"


def _has_vector_leaves(model: bytes) -> bool:
    return any(int(size) > 1 for size in LEAF_SIZE.findall(model))
