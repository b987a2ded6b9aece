"""Files of 5 million rows: from the first byte posted to the last byte of results, beside plain scripts."""

import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

from benchmarks import batch
from benchmarks.bundle import ROOT
from benchmarks.project import PROJECT, Project, project
from benchmarks.session import Session
from benchmarks.tables import BOOSTERS, make_bundles, make_csv, make_parquet

SCENARIO = "batches"
ROWS = 5_000_000
BOTH = "predictions,batches"
NICENESS = 10
"""The niceness of our batches, so that other load on the machine slows down all of them alike."""
MAKERS: dict[str, Callable[[Path, int], Path]] = {"csv": make_csv, "parquet": make_parquet}


def measure(session: Session) -> None:
    """Run each in turn, so that other load on the machine affects all of them."""
    with tempfile.TemporaryDirectory(prefix="paygrade-bench-") as directory:
        folder = Path(directory)
        bundles = make_bundles(folder / "bundles")
        for kind, make in MAKERS.items():
            file = make(folder / f"rows.{kind}", ROWS)
            for name in BOOSTERS:
                _measure(session, folder, bundles, file, name)
            file.unlink()


def _measure(session: Session, folder: Path, bundles: Path, file: Path, name: str) -> None:
    model = bundles / name / "1" / "model.ubj"
    seconds: dict[str, list[float]] = {PROJECT: [], "ceiling": [], "pandas": []}
    with project(PAYGRADE_BUNDLES=str(bundles), PAYGRADE_QUEUES=BOTH) as contender:
        score_file(contender, file, name, folder)  # workers load the model
        for _ in range(session.runs):
            for rival in ("ceiling", "pandas"):
                seconds[rival].append(run_script(rival, file, model, folder / "plain"))
            seconds[PROJECT].append(score_file(contender, file, name, folder))
        session.weigh(contender, f"{SCENARIO}, {file.suffix[1:]}, {name}")
    scenario = f"{SCENARIO}, {file.suffix[1:]}, {name} booster"
    took = {each: session.timed(each, scenario, measured) for each, measured in seconds.items()}
    session.figure(f"batch-{file.suffix[1:]}-{name}", took["ceiling"] / took[PROJECT])
    session.figure(f"batch-{file.suffix[1:]}-{name}-pandas", took["pandas"] / took[PROJECT])


def score_file(contender: Project, file: Path, model: str, folder: Path) -> float:
    """Post a file, wait, fetch the results and delete the batch; return the seconds until they are there."""
    service = batch.service_at(contender.port)
    started = time.monotonic()
    done = batch.wait(service, batch.post(service, file, model))
    batch.fetch(service, done, folder / "ours")
    took = time.monotonic() - started
    assert (done["status"], done["counts"]["succeeded"]) == ("succeeded", ROWS)
    batch.remove(service, done)
    return took


def run_script(rival: str, file: Path, model: Path, out: Path, python: Path = Path(sys.executable)) -> float:
    """Run a script that scores the file; return the seconds that it took."""
    command = [str(python), "-m", "benchmarks.rivals.script", rival, str(file), str(model), str(out)]
    started = time.monotonic()
    subprocess.run(command, cwd=ROOT, check=True, preexec_fn=lambda: os.nice(NICENESS))
    return time.monotonic() - started
