"""Importing worker in a fresh process loads the steps of the client's package, and nothing else of it."""

import subprocess
import sys

import pytest

LOOK = """
import sys
sys.modules["httpx"] = sys.modules["sklearn"] = sys.modules["pandas"] = None
import worker.app, worker.batch_steps, worker.roles
print(*(name for name in sys.modules if name.startswith("paygrade.")))
"""


@pytest.mark.process
def test_a_worker_needs_no_client_and_no_package_of_a_notebook() -> None:
    loaded = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, check=True).stdout
    rooms = {name.split(".")[1] for name in loaded.split()}
    assert rooms == {"errors", "steps"}
