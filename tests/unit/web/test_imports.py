"""Importing web in a fresh process loads neither the worker nor a numeric library."""

import subprocess
import sys

import pytest


@pytest.mark.process
@pytest.mark.parametrize("module", ["web.app", "web.server"])
def test_web_loads_neither_the_model_nor_the_worker(module: str) -> None:
    look = f"import sys, {module}; print(*{{name.partition('.')[0] for name in sys.modules}})"
    loaded = subprocess.run([sys.executable, "-c", look], capture_output=True, text=True, check=True).stdout
    assert not {"xgboost", "numpy", "scipy", "worker", "paygrade"} & set(loaded.split())
    assert {"web", "jobs", "model", "flask"} <= set(loaded.split())
