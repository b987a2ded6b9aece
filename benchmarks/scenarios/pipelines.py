"""A pipeline: its files beside a script that uses pandas, and its rows beside those of its booster alone."""

import tempfile
import time
from pathlib import Path
from statistics import median

import numpy as np
import pandas as pd
import pyarrow.parquet

from benchmarks import batch
from benchmarks.load import WAITED_BARE, WAITED_FLAT
from benchmarks.pipelines import PIPELINE, make_bundles, make_table
from benchmarks.project import Project, project
from benchmarks.scenarios.batches import BOTH, run_script
from benchmarks.session import Session

SCENARIO = "pipelines"
ROWS = 1_000_000


def measure(session: Session) -> None:
    """Files first, by turns with the script; then rows, by turns with those of the booster."""
    with tempfile.TemporaryDirectory(prefix="paygrade-bench-") as directory:
        folder = Path(directory)
        pickled = folder / "pipeline.pickle"
        bundles = make_bundles(folder / "bundles", pickled)
        table = make_table(ROWS, seed=2)
        with project(PAYGRADE_BUNDLES=str(bundles), PAYGRADE_QUEUES=BOTH) as contender:
            for kind in ("csv", "parquet"):
                _measure_file(session, contender, _write(table, folder / f"rows.{kind}"), pickled)
            _measure_rows(session, contender)


def _write(table: pd.DataFrame, file: Path) -> Path:
    if file.suffix == ".csv":
        table.to_csv(file, index=False)
    else:
        table.to_parquet(file)
    return file


def _measure_file(session: Session, contender: Project, file: Path, pickled: Path) -> None:
    ours, theirs = file.with_suffix(".ours"), file.with_suffix(".theirs")
    seconds: dict[str, list[float]] = {"ours": [], "script": []}
    _score(contender, file, ours)  # workers load the model
    for _ in range(session.runs):
        seconds["script"].append(run_script("pipeline", file, pickled, theirs))
        seconds["ours"].append(_score(contender, file, ours))
    differing = int((_scores(ours, file.suffix) != _scores(theirs, file.suffix)).sum())
    session.require(not differing, f"{SCENARIO}: {differing} scores differ from those of the pipeline")
    took = {each: median(measured) for each, measured in seconds.items()}
    rates = ", ".join(f"{each} {one:.2f} s, {ROWS / one:,.0f} rows/s" for each, one in took.items())
    session.say(f"{SCENARIO}, {file.suffix[1:]}: {rates}")
    session.figure(f"pipeline-{file.suffix[1:]}", took["script"] / took["ours"])


def _score(contender: Project, file: Path, out: Path) -> float:
    service = batch.service_at(contender.port)
    started = time.monotonic()
    done = batch.wait(service, batch.post(service, file, PIPELINE))
    batch.fetch(service, done, out)
    took = time.monotonic() - started
    assert (done["status"], done["counts"]["succeeded"]) == ("succeeded", ROWS)
    batch.remove(service, done)
    return took


def _scores(file: Path, suffix: str) -> "np.ndarray[tuple[int], np.dtype[np.float32]]":
    if suffix == ".csv":
        return np.array(pd.read_csv(file, usecols=["prediction"]).prediction, dtype=np.float32)
    scores = pyarrow.parquet.read_table(file, columns=["prediction"]).column(0)
    return np.array(scores.to_pylist(), dtype=np.float32)


def _measure_rows(session: Session, contender: Project) -> None:
    bare = session.measure(contender, f"{SCENARIO}, its booster alone", WAITED_BARE, 1)
    ours = session.measure(contender, SCENARIO, WAITED_FLAT, 1)
    session.weigh(contender, SCENARIO)
    session.figure("pipeline-row", ours.p50 / bare.p50)
