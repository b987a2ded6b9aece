"""A worker imports what it serves with, and nothing else: it is small, and starts soon."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

LOOK = """
import sys
sys.modules["httpx"] = sys.modules["sklearn"] = sys.modules["pandas"] = None
import worker.app, worker.batches, worker.roles
print(*(name for name in sys.modules if name.startswith("paygrade.")))
"""


@pytest.mark.process
def test_a_worker_needs_no_client_and_no_package_of_a_notebook() -> None:
    loaded = subprocess.run([sys.executable, "-c", LOOK], capture_output=True, text=True, check=True).stdout
    rooms = {name.split(".")[1] for name in loaded.split()}
    assert rooms == {"errors", "steps"}


PREDICT = """
import sys
for name in ("pyarrow", "scipy", "pandas"):
    sys.modules[name] = None
import worker.starting, worker.child, worker.roles
from concurrent.futures import ThreadPoolExecutor
from fakeredis import FakeRedis
from jobs.settings import Settings
from model.description.catalog import Catalog
from worker.bundles import Bundles
from worker.roles import ROLES, ChildContext
from worker.bundles import explaining_scorer, scorer

worker.roles.connect = worker.roles.connect_one = lambda *_: FakeRedis()
bundles = Bundles(Catalog("model/bundles", sys.argv[1]))
ref = bundles.check_default()
ROLES["predictions"].make_loops(ChildContext("1", Settings(), *[None] * 3, bundles, *[None] * 4))
manifest = Catalog("model/bundles", sys.argv[1]).find()
bundle = bundles.get(ref, manifest.sha256)
print(scorer(bundle)(manifest.golden.rows[:1])[0][:20])
print(explaining_scorer(bundle, ThreadPoolExecutor(1))(manifest.golden.rows[:1])[0][:20])
print("xgboost" in sys.modules)
"""


@pytest.mark.process
@pytest.mark.parametrize("model", ["salary", "wages"])
def test_predictions_need_neither_the_python_layer_of_xgboost_nor_tables(model: str) -> None:
    ran = subprocess.run([sys.executable, "-c", PREDICT, model], capture_output=True, text=True, check=False)
    assert ran.returncode == 0, ran.stderr
    score, explained, imported = ran.stdout.splitlines()
    assert score.startswith('b\'{"prediction":')
    assert explained.startswith('b\'{"prediction":')
    assert imported == "False"


BATCHES = """
import sys
sys.modules["pyarrow"] = None
from worker.starting import main
sys.argv[1:] = []
sys.exit(main())
"""


@pytest.mark.process
def test_a_worker_of_batches_without_pyarrow_says_what_to_do(tmp_path: Path) -> None:
    environment = {**os.environ, "PAYGRADE_QUEUES": "predictions,batches", "PAYGRADE_DATA": str(tmp_path)}
    ran = subprocess.run(
        [sys.executable, "-c", BATCHES], env=environment, capture_output=True, text=True, check=False
    )
    assert ran.returncode == 2
    assert ran.stderr == (
        "worker: PAYGRADE_QUEUES asks for batches, and the package pyarrow is not installed; "
        "use the image `worker`, or set PAYGRADE_QUEUES=predictions\n"
    )


BEFORE_THE_FORK = """
import sys
from jobs.settings import Settings
from worker.app import Worker
from worker.roles import ROLES
Worker(Settings(files="s3://bucket/files"), None, ROLES[sys.argv[1]], None, None)
print("boto3" in sys.modules)
"""


@pytest.mark.process
@pytest.mark.parametrize(("role", "needed"), [("predictions", "False"), ("batches", "True")])
def test_only_batches_import_boto3_for_files_in_s3_and_before_they_fork(role: str, needed: str) -> None:
    command = [sys.executable, "-c", BEFORE_THE_FORK, role]
    imported = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    assert imported.strip() == needed
