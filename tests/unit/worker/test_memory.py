"""A child has a share of the memory; what would take more fails with an error, and the process lives on."""

import io
import subprocess
import sys
from collections.abc import Iterator
from io import RawIOBase
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

import pyarrow as pa
import pytest

from jobs.files.store import MIB
from jobs.settings import Settings
from worker.limits import (
    LEAST_BUDGET,
    LEAST_FOR_PREDICTIONS,
    PARENTS,
    budget_of,
    is_out_of_memory,
    least_memory,
    memory_of_machine,
)
from worker.tables.cut import Chunk
from worker.tables.plan import _read_footer
from worker.tables.read import _intact

TAKE = """
from jobs.files.store import MIB
from worker.limits import MemoryBudget, is_out_of_memory
MemoryBudget(640 * MIB).enforce()
import resource, sys
import numpy as np, pyarrow as pa
from model.engines.xgboost import Booster, XGBoostEngine
engine = XGBoostEngine(Booster(open(sys.argv[1], "rb").read()), 100)
taken = 4096 * int(open("/proc/self/statm").read().split()[5])
resource.setrlimit(resource.RLIMIT_DATA, (taken + 64 * MIB, -1))
for take in (
    lambda: bytearray(2**30),
    lambda: np.ones(2**28),
    lambda: pa.allocate_buffer(2**30),
    lambda: engine.explain(np.zeros((50_000_000, 1), np.float32)),
):
    try:
        take()
    except Exception as error:
        print(is_out_of_memory(error))
"""


@pytest.mark.process
def test_each_library_says_that_it_is_out_of_memory() -> None:
    model = "model/bundles/salary/1/model.ubj"
    ran = subprocess.run([sys.executable, "-c", TAKE, model], capture_output=True, text=True, check=True)
    assert ran.stdout.split() == ["True"] * 4


@pytest.mark.parametrize("error", [pa.ArrowMemoryError("malloc failed"), OSError("thrift: std::bad_alloc")])
def test_a_lack_of_memory_is_no_damaged_file(error: Exception) -> None:
    def failing() -> Iterator[Any]:
        raise error
        yield

    with patch("pyarrow.parquet.read_metadata", side_effect=error), pytest.raises(type(error)):
        _read_footer(cast(RawIOBase, io.BytesIO(b"PAR1" * 4)), 16)
    with pytest.raises(type(error)):
        list(_intact(failing(), Chunk(0, 1)))


WIDE = """
import resource, sys
from jobs.files.store import MIB
from worker.limits import MemoryBudget
MemoryBudget(640 * MIB).enforce()
from jobs.files.tables import Format
from worker.tables.plan import Layout
from worker.tables.read import _read_csv
names = tuple(f"column_{number}" for number in range(10_000))
block = b"".join(b",".join([b"2.5"] * len(names)) + b"\\n" for _ in range(int(sys.argv[1])))
layout = Layout(Format.CSV, Format.CSV, names, names, ())
if room := int(sys.argv[2]):
    taken = 4096 * int(open("/proc/self/statm").read().split()[5])
    resource.setrlimit(resource.RLIMIT_DATA, (taken + room * MIB, -1))
try:
    print(_read_csv(block, layout, ()).number)
except MemoryError:
    print("MemoryError")
"""


def read_wide(rows: int, room: int = 0) -> subprocess.CompletedProcess[str]:
    """By a process of the least budget, of which so many MiB are left."""
    command = [sys.executable, "-c", WIDE, str(rows), str(room)]
    return subprocess.run(command, capture_output=True, text=True, check=False)


@pytest.mark.process
@pytest.mark.parametrize("rows", [2, 200])
def test_the_most_columns_of_csv_fit_in_the_least_budget(rows: int) -> None:
    ran = read_wide(rows)
    assert ran.stdout == f"{rows}\n", ran.stderr[-500:]


@pytest.mark.process
@pytest.mark.parametrize("room", [10, 20, 30])
def test_where_csv_does_not_fit_its_reader_ends_with_an_error_and_not_the_process(room: int) -> None:
    ran = read_wide(200, room)
    assert (ran.returncode, ran.stdout) == (0, "MemoryError\n"), ran.stderr[-500:]


def test_another_error_is_no_lack_of_memory() -> None:
    assert not is_out_of_memory(ValueError("bad value"))


def test_children_share_the_memory_of_their_container(tmp_path: Path) -> None:
    limit, unlimited = tmp_path / "memory.max", tmp_path / "unlimited"
    limit.write_text(f"{512 * MIB}\n")
    unlimited.write_text("max\n")
    assert memory_of_machine((tmp_path / "none", unlimited, limit)) == 512 * MIB
    assert memory_of_machine((unlimited,)) > 512 * MIB
    settings = Settings(children=1, batch_children=3)
    predictions, batches = (
        budget_of(settings, 8448 * MIB, least) for least in (LEAST_FOR_PREDICTIONS, LEAST_BUDGET)
    )
    assert predictions + 3 * batches + PARENTS == 8448 * MIB
    assert batches - predictions == LEAST_BUDGET - LEAST_FOR_PREDICTIONS
    assert budget_of(settings, 512 * MIB) == LEAST_BUDGET
    assert budget_of(settings, least_memory(settings)) == LEAST_BUDGET
    assert budget_of(Settings(child_memory=1_000), 8448 * MIB) == 1_000
