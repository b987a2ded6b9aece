"""The files of `batches`, beside scripts that use libraries which are installed apart."""

import tempfile
from pathlib import Path

from benchmarks.contenders import RIVALS
from benchmarks.project import PROJECT, project
from benchmarks.scenarios.batches import BOTH, MAKERS, ROWS, run_script, score_file
from benchmarks.session import Session
from benchmarks.tables import make_bundles

SCENARIO = "files"
MODEL = "large"
LIBRARIES = ("polars", "duckdb", "ray")


def measure(session: Session) -> None:
    """Once each: what is compared differs by more than the noise."""
    if not RIVALS.exists():
        session.say(f"{SCENARIO}: polars, duckdb and ray are not installed; make bench-rivals installs them")
        return
    with tempfile.TemporaryDirectory(prefix="paygrade-bench-") as directory:
        folder = Path(directory)
        bundles = make_bundles(folder / "bundles")
        model = bundles / MODEL / "1" / "model.ubj"
        for kind, make in MAKERS.items():
            file, scenario = make(folder / f"rows.{kind}", ROWS), f"{SCENARIO}, {kind}, {MODEL} booster"
            for library in LIBRARIES:
                seconds = run_script(library, file, model, folder / f"{library}.{kind}", RIVALS)
                session.timed(library, scenario, [seconds])
            with project(PAYGRADE_BUNDLES=str(bundles), PAYGRADE_QUEUES=BOTH) as contender:
                score_file(contender, file, MODEL, folder)  # workers load the model
                session.timed(PROJECT, scenario, [score_file(contender, file, MODEL, folder)])
