"""One row in, its score out, of larger models: all rivals that are installed."""

import tempfile
from pathlib import Path

from benchmarks.contenders import INSTALLED_APART, numeric_rivals
from benchmarks.numeric import LOADS, SIZES, make_bundles, model_file, waited
from benchmarks.project import project
from benchmarks.session import Measurement, Session

SCENARIO = "numeric"
CONNECTIONS = (1, 32, 128)


def measure(session: Session) -> None:
    """The rivals first, then Paygrade with `Prefer: wait`."""
    rivals = numeric_rivals()
    for name in INSTALLED_APART.keys() - rivals.keys():
        session.say(f"{SCENARIO}: {name} is not installed; make bench-rivals installs it")
    with tempfile.TemporaryDirectory(prefix="paygrade-bench-") as directory:
        bundles = make_bundles(Path(directory) / "bundles")
        for model in SIZES:
            _measure_rivals(session, bundles, model)
            _measure_ours(session, bundles, model)


def _measure_rivals(session: Session, bundles: Path, model: str) -> None:
    for name, rival in numeric_rivals().items():
        with rival(model_file(bundles, model), model) as contender:
            for connections in CONNECTIONS:
                session.measure(contender, f"{SCENARIO}, {model}", LOADS[name](model), connections)
            session.weigh(contender, f"{SCENARIO}, {model}")


def _measure_ours(session: Session, bundles: Path, model: str) -> None:
    with project(PAYGRADE_BUNDLES=str(bundles)) as contender:
        ours: dict[int, Measurement] = {
            connections: session.measure(contender, f"{SCENARIO}, {model}", waited(model), connections)
            for connections in CONNECTIONS
        }
        session.weigh(contender, f"{SCENARIO}, {model}")
    theirs = {connections: session.rival(1, connections, model) for connections in CONNECTIONS}
    for connections, rival in theirs.items():
        if rival and connections > 1:
            session.figure(f"{model}-{connections}", ours[connections].rate / rival.rate)
        elif rival:
            session.figure(f"{model}-1-p50", ours[connections].p50 / rival.p50)
