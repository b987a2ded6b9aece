"""One row in, its score out, of larger models: all rivals that are installed."""

import tempfile
from contextlib import ExitStack
from pathlib import Path

from benchmarks.contenders import INSTALLED_APART, numeric_rivals
from benchmarks.numeric import LOADS, SIZES, make_bundles, model_file, waited
from benchmarks.project import project
from benchmarks.session import Measurement, Session

SCENARIO = "numeric"
CONNECTIONS = (1, 32, 128)


def measure(session: Session) -> None:
    """All by turns, Paygrade with `Prefer: wait`."""
    for name in INSTALLED_APART.keys() - numeric_rivals().keys():
        session.say(f"{SCENARIO}: {name} is not installed; make bench-rivals installs it")
    with tempfile.TemporaryDirectory(prefix="paygrade-bench-") as directory:
        bundles = make_bundles(Path(directory) / "bundles")
        for model in SIZES:
            _measure(session, bundles, model)


def _measure(session: Session, bundles: Path, model: str) -> None:
    scenario = f"{SCENARIO}, {model}"
    with ExitStack() as stack:
        loads = [
            (stack.enter_context(rival(model_file(bundles, model), model)), LOADS[name](model))
            for name, rival in numeric_rivals().items()
        ]
        loads.append((stack.enter_context(project(PAYGRADE_BUNDLES=str(bundles))), waited(model)))
        for connections in CONNECTIONS:
            ours = session.measure_by_turns(loads, scenario, connections)[-1]
            _compare(session, ours)
        for contender, _ in loads:
            session.weigh(contender, scenario)


def _compare(session: Session, ours: Measurement) -> None:
    rival = session.rival(1, ours.connections, ours.model)
    if rival and ours.connections > 1:
        session.figure(f"{ours.model}-{ours.connections}", ours.rate / rival.rate)
    elif rival:
        session.figure(f"{ours.model}-1-p50", ours.p50 / rival.p50)
