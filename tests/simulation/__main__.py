"""`python -m tests.simulation --seeds 300`, or `--seed 17` to replay one seed and shrink it."""

import argparse
import os
import sys

from tests.simulation.seeds import outcomes
from tests.simulation.simulation import Plan, run, shrunk

SHOWN_EVERY = 100


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.simulation")
    parser.add_argument("--seeds", type=int, default=300, help="how many to run (default: 300)")
    parser.add_argument("--first", type=int, default=0, help="the first of them (default: 0)")
    parser.add_argument("--seed", type=int, help="replay this one alone, with its trace")
    parser.add_argument("--trace", action="store_true")
    parser.add_argument("--jobs", type=int, default=os.cpu_count() or 1, help="run so many seeds at a time")
    options = parser.parse_args()
    if os.environ.get("PYTHONHASHSEED") != "0":  # the order of sets is part of the order of a run
        os.execve(  # noqa: S606
            sys.executable,
            [sys.executable, "-m", "tests.simulation", *sys.argv[1:]],
            {**os.environ, "PYTHONHASHSEED": "0"},
        )
    if options.seed is not None:
        return _replay(options.seed, options.trace)
    return _run_all(range(options.first, options.first + options.seeds), options.jobs)


def _run_all(seeds: range, jobs: int) -> int:
    failed, accepted, calls = 0, 0, 0
    for number, outcome in enumerate(outcomes(seeds, jobs), 1):
        accepted, calls = accepted + outcome.accepted, calls + outcome.calls
        if outcome.broken:
            failed += 1
            print(f"seed {outcome.seed}: {'; '.join(outcome.broken[:3])}", flush=True)
        if number % SHOWN_EVERY == 0:
            print(f"{number} of {len(seeds)}", flush=True)
    print(f"{len(seeds)} seeds, {accepted} jobs accepted, {calls} calls, {failed} seeds broken")
    return 1 if failed else 0


def _replay(seed: int, trace: bool) -> int:
    plan = Plan.of(seed)
    report = run(plan)
    if report.broken:
        plan = shrunk(plan)
        report = run(plan)
    if trace:
        print("\n".join(report.trace))
    print(plan)
    print(f"accepted {report.accepted}, calls {report.calls}, {report.seconds:.0f} s, digest {report.digest}")
    print("\n".join([*report.faults, *report.broken]) or "all promises held")
    return 1 if report.broken else 0


if __name__ == "__main__":
    sys.exit(main())
