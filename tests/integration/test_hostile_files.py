"""No file costs more than its share: each is scored or refused with a reason, and the process lives on."""

import json
import subprocess
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import pytest

from tests.hostile.files import HostileFile, costly_files, damaged_files
from tests.integration.service import PYTHON, clean_environment
from worker.memory import LEAST_BUDGET, MIB

ENDED = ("succeeded", "partially_succeeded", "failed", 400, 422)
OUT_OF_MEMORY = "out_of_memory"
"""Why a task was abandoned; it fails after three tries."""
FIXED_SECONDS, SECONDS_PER_MIB = 10, 3
"""CPU that a file may take: most of the fixed part is for a slow machine."""
FIXED_RESULTS, RESULTS_PER_BYTE = 700 * MIB, 200


def scored(folder: Path, files: Iterable[HostileFile], budget: int) -> dict[str, dict[str, Any]]:
    """What became of each file, by name."""
    sizes = {}
    for number, file in enumerate(files):
        (folder / f"{number:06}.data").write_bytes(file.data)
        asked = {"name": file.name, "media_type": file.media_type, "query": file.query}
        (folder / f"{number:06}.json").write_text(json.dumps(asked))
        sizes[file.name] = len(file.data)
    command = [PYTHON, "-m", "tests.hostile", str(folder), str(budget)]
    ran = subprocess.run(command, capture_output=True, text=True, check=False, env=clean_environment())
    found = {line["name"]: line for line in map(json.loads, ran.stdout.splitlines())}
    assert ran.returncode == 0, (ran.stderr[-2000:], list(found)[-1:])
    assert found.keys() == sizes.keys()
    return {name: line | {"size": sizes[name]} for name, line in found.items()}


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_no_small_file_takes_much_memory_time_or_room(tmp_path: Path) -> None:
    for name, file in scored(tmp_path, costly_files(), LEAST_BUDGET).items():
        assert file["status"] in ENDED or OUT_OF_MEMORY in file["events"], (name, file)
        assert "unexpected_error" not in file["events"], (name, file)
        assert file["peak"] <= LEAST_BUDGET, (name, file)
        assert file["cpu"] <= FIXED_SECONDS + SECONDS_PER_MIB * file["size"] / MIB, (name, file)
        assert file["results"] <= FIXED_RESULTS + RESULTS_PER_BYTE * file["size"], (name, file)


@pytest.mark.timeout(900)
def test_a_damaged_file_is_scored_or_refused_with_a_reason(tmp_path: Path) -> None:
    check_damaged(tmp_path, seed=1, number=150)


@pytest.mark.slow
def test_none_of_many_damaged_files_does_harm(tmp_path: Path) -> None:
    check_damaged(tmp_path, seed=2, number=5_000)


def check_damaged(folder: Path, seed: int, number: int) -> None:
    for name, file in scored(folder, damaged_files(seed, number), LEAST_BUDGET).items():
        assert file["status"] in ENDED, (name, file)
        assert "unexpected_error" not in file["events"], (name, file)
        assert file["status"] in ("succeeded", "partially_succeeded") or file["error"], (name, file)
