"""What each part of the package needs is what it imports."""

import subprocess
import sys

import pytest

pytestmark = pytest.mark.process

LIST_PACKAGES = "print(*sorted({name.partition('.')[0] for name in {*sys.modules} - before}))"


def packages_after(statement: str) -> set[str]:
    """The packages outside the standard library that a fresh process has then imported."""
    code = f"import sys; before = {{*sys.modules}}; {statement}; {LIST_PACKAGES}"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    ignored = {name for name in run.stdout.split() if name.startswith("_")}
    return {*run.stdout.split()} - {*sys.stdlib_module_names} - ignored


def test_the_package_itself_needs_nothing() -> None:
    assert packages_after("import paygrade") == {"paygrade"}


def test_a_client_needs_no_numpy() -> None:
    packages = packages_after("from paygrade import Client")
    assert "httpx" in packages
    assert not packages & {"numpy", "pandas", "sklearn", "xgboost"}


def test_steps_need_numpy_alone() -> None:
    assert packages_after("import paygrade.steps") == {"paygrade", "numpy"}


def test_save_is_there_without_scikit_learn() -> None:
    packages = packages_after("import paygrade; assert callable(paygrade.save)")
    assert not packages & {"pandas", "sklearn", "xgboost", "scipy"}
